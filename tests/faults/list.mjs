/**
 * What there is to be played, and what it is held against: for --list.
 *
 * @param {readonly import('./scenes/scene.mjs').Scene[]} scenes
 * @param {readonly import('./check/check.mjs').Check[]} checks
 */
export function toList(scenes, checks) {
  const sections = {
    scenes: scenes.map((scene) => /** @type {const} */ ([scene.name, `${scene.title}${describe(scene)}`])),
    checks: checks.map(({ name, says }) => /** @type {const} */ ([name, says])),
  };
  const width = Math.max(...Object.values(sections).flatMap((lines) => lines.map(([name]) => name.length)));
  return Object.entries(sections)
    .map(([title, lines]) =>
      [`${title}:`, ...lines.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`)].join('\n'),
    )
    .join('\n\n');
}

/** @param {import('./scenes/scene.mjs').Scene} scene */
function describe({ weight = 1, longOnly = false, families }) {
  const notes = [
    ...(weight === 1 ? [] : [`weight ${weight}`]),
    ...(longOnly ? ['long form only'] : []),
    ...(families === undefined ? [] : [`on ${families.join(' and ')} only`]),
  ];
  return notes.length === 0 ? '' : ` (${notes.join(', ')})`;
}
