/** The name that was probably meant; undefined if none of the known ones is near. */
export function findNearest(name: string, known: Iterable<string>): string | undefined {
  const candidates = [...known];
  if (name === '' || candidates.length === 0) return undefined;
  const { closest, distance } = require('fastest-levenshtein') as typeof import('fastest-levenshtein');
  const nearest = closest(name, candidates);
  // Two letters that changed places are two changes: emial is email, but mail is not sms.
  return nearest !== name && distance(name, nearest) <= Math.ceil(name.length * 0.4) ? nearest : undefined;
}
