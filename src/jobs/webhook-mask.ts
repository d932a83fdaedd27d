const MASK = '***';
const WORD = /[\p{L}\p{M}\p{N}]+/gu;
/** Shorter ones would make a riddle of an answer. */
const SHORTEST_WORD = 3;
/** From here on a part of a word tells it, and a word is looked for within others. */
const SHORTEST_PART = 6;

/** What a webhook sends to its receiver. */
export interface Sent {
  url: URL;
  headers: Record<string, string>;
  body: unknown;
}

/**
 * The words of an answer, without those that it repeats of what was sent: the path and the query of the URL, its
 * login, the payload's headers and the values of its body. The names of members and headers stay: a receiver says by
 * them what is wrong.
 *
 * @param said some hundred characters: each word is looked for in the whole of what was sent
 */
export function maskSent(said: string, sent: Sent): string {
  const texts = [...listOfUrl(sent.url), ...listOfHeaders(sent.headers), ...listValues(sent.body)];
  const all = texts.join('\n').toLowerCase();
  const words = new Set(all.match(WORD));
  const isSent = (word: string): boolean =>
    word.length >= SHORTEST_WORD && (words.has(word) || (word.length >= SHORTEST_PART && all.includes(word)));
  return listSecrets(sent)
    .reduce((text, secret) => text.replaceAll(secret, MASK), said)
    .replaceAll(WORD, (word) => (isSent(word.toLowerCase()) ? MASK : word))
    .replaceAll(/\*{3}(?:[^\p{L}\p{M}\p{N}\s]*\*{3})+/gu, MASK);
}

/** Those that may stand in an answer with letters before or behind them. Longest first. */
function listSecrets({ url, headers }: Sent): string[] {
  const parts = [...listOfUrl(url).flatMap((text) => [text, ...text.split(/[/&=?]/)]), ...listOfHeaders(headers)];
  return parts.filter(({ length }) => length >= SHORTEST_PART).sort((a, b) => b.length - a.length);
}

function listOfUrl({ username, password, pathname, search, searchParams }: URL): string[] {
  const [user, secret] = [decodeURIComponent(username), decodeURIComponent(password)];
  const login = password === '' ? [] : [password, secret, Buffer.from(`${user}:${secret}`).toString('base64')];
  return [...login, pathname, ...pathname.split('/').map(decode), search, ...searchParams.values()];
}

const listOfHeaders = (headers: Record<string, string>): string[] =>
  Object.values(headers).flatMap((value) => [value, value.replace(/^\w+ +/, '')]);

/** Each text and number of a JSON value; of a text that is the body itself, all of it. */
function listValues(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(listValues);
  return typeof value === 'boolean' || value === null ? [] : [String(value)];
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a bare % in it: a receiver decodes it neither
  }
}
