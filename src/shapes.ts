import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { parseDuration } from './duration';
import { parseServerUrl } from './server-url';

/** What somebody gave for a setting: words, or a list of them where an option may be repeated. */
export type Given = string | string[];

/** What is wrong with a setting, in words that follow its name. */
export class Wrong {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

/** What a setting may be: makes its value of what was given. By hand, as zod took 55 ms to load in every run. */
export type Shape<T> = (given: Given) => T | Wrong;

const shapeOf =
  <T>(read: (words: string) => T | Wrong): Shape<T> =>
  (given) =>
    typeof given === 'string' ? read(given) : new Wrong('is given more than once');

export const text = shapeOf((words) => words);

/** A path, against the working directory, or a bare name that is looked for in PATH. */
export const program = shapeOf((words) => (words.includes('/') ? resolve(words) : words));

export const duration = (atLeastMs: number) =>
  shapeOf((words) => {
    const ms = parseDuration(words);
    if (ms !== undefined && ms >= atLeastMs && ms <= LONGEST_MS) return ms;
    const least = atLeastMs > 0 ? `, at least ${atLeastMs} ms` : '';
    return new Wrong(`is no duration such as 200ms, 60s or 10m${least}`);
  });

/** A length of time that no timer waits for. */
export const age = shapeOf((words) => {
  const ms = parseDuration(words);
  if (ms !== undefined && ms >= LEAST_AGE_MS && ms <= LONGEST_AGE_MS) return ms;
  return new Wrong('is no duration such as 14d, from 1h to 3650d');
});

const LEAST_AGE_MS = 3_600_000;
const LONGEST_AGE_MS = 3650 * 86_400_000;

/** setTimeout counts in 32 bits: a longer time would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

export const count = (least: number, most: number) =>
  shapeOf((words) => {
    const number = /^\d+$/.test(words) ? Number(words) : Number.NaN;
    return number >= least && number <= most ? number : new Wrong(`is no whole number from ${least} to ${most}`);
  });

export const names: Shape<string[]> = (given) => {
  const all = typeof given === 'string' ? given.split(',') : given;
  return [...new Set(all.map((name) => name.trim()).filter((name) => name !== ''))];
};

const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;

export const logLevel = shapeOf(
  (words) => LOG_LEVELS.find((level) => level === words) ?? new Wrong(`is none of ${LOG_LEVELS.join(', ')}`),
);

export const serverUrl = shapeOf((url) => {
  const found = parseServerUrl(url);
  return typeof found === 'string' ? new Wrong(found) : found;
});

const urlOf = (protocols: RegExp, form: string) =>
  shapeOf((url) => (protocols.test(URL.parse(url)?.protocol ?? '') ? url : new Wrong(`is not of the form ${form}`)));

export const mailUrl = urlOf(/^smtps?:$/, 'smtp://user:password@host:587');

export const webUrl = urlOf(/^https?:$/, 'https://host/path');

/** What webhooks are signed with. */
export interface WebhookSecret {
  /** The host whose webhooks alone are signed with it; undefined: those of each host that has none of its own. */
  host?: string | undefined;
  /** The key itself, in base64. */
  key: string;
}

const SECRET = /^(?:(?<host>[^=\s]+)=)?whsec_(?<key>[A-Za-z0-9+/]+={0,2})$/;
/** The bounds of the Standard Webhooks specification. */
const LEAST_KEY_BYTES = 24;
const MOST_KEY_BYTES = 64;

export const webhookSecrets: Shape<WebhookSecret[]> = (given) => {
  const secrets: WebhookSecret[] = [];
  for (const word of [given]
    .flat()
    .join(' ')
    .split(/[\s,]+/)
    .filter(Boolean)) {
    const { host, key = '' } = SECRET.exec(word)?.groups ?? {};
    const bytes = Buffer.from(key, 'base64').length;
    if (bytes < LEAST_KEY_BYTES || bytes > MOST_KEY_BYTES) return new Wrong(NO_SECRET);
    const hostname = host === undefined ? undefined : readHost(host);
    if (hostname === null) return new Wrong(NO_HOST);
    secrets.push({ host: hostname, key });
  }
  return secrets.length > 0 ? secrets : new Wrong(NO_SECRET);
};

/** A host as the URL of a webhook has it: in small letters, in punycode, an IPv6 address in brackets; null for none. */
function readHost(host: string): string | null {
  const address = host.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) === 6) return URL.parse(`http://[${address}]`)?.hostname ?? null;
  return /[/\\?#@:]/.test(host) ? null : (URL.parse(`http://${host}`)?.hostname.replace(/\.$/, '') ?? null);
}

const NO_HOST = 'has a secret for what is no host; leave out protocol, port and path, as in shop.example.com=whsec_…';

const NO_SECRET =
  'is not of the form whsec_… with 24 to 64 bytes in base64, or host=whsec_… for one host alone, with spaces between several';

/** Addresses and networks, each as it was given. */
export const addressRanges: Shape<string[]> = (given) => {
  const ranges = names(given);
  if (ranges instanceof Wrong) return ranges;
  const { isValid, isValidCIDR } = require('ipaddr.js') as typeof import('ipaddr.js');
  const isRange = (range: string): boolean => isValidCIDR(range) || (isIP(range) !== 0 && isValid(range));
  return ranges.every(isRange)
    ? ranges
    : new Wrong('is no list of addresses and networks such as 127.0.0.1,10.1.0.0/16');
};

/** The textfile collector of node_exporter reads no others. */
export const metricsPath = shapeOf((path) =>
  path.endsWith('.prom') ? path : new Wrong('does not end in .prom, as a file for node_exporter has to'),
);
