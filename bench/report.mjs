import { median, spread } from './samples.mjs';

/**
 * @param {readonly import('./samples.mjs').RoundSample[]} samples
 */
export function toMarkdown(samples) {
  const keys = [
    ...new Set(
      samples.map(({ measure, contender, server, variant, unit }) =>
        [measure, contender, server, variant, unit].join(' | '),
      ),
    ),
  ];
  return keys
    .map((key) => {
      const values = samples
        .filter((s) => [s.measure, s.contender, s.server, s.variant, s.unit].join(' | ') === key)
        .map(({ value }) => value);
      return `| ${key} | ${median(values)} | ${spread(values).join('–')} |`;
    })
    .join('\n');
}
