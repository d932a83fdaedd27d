import { z } from 'zod';
import { parseDuration } from './duration';
import { parseServerUrl } from './server-url';

/** The shapes that settings have. What is wrong with one is told in words that follow its name. */
export const text = z.string();

export const duration = (atLeastMs: number) =>
  z.string().transform((words, context) => {
    const ms = parseDuration(words);
    if (ms === undefined || ms < atLeastMs || ms > LONGEST_MS) {
      const least = atLeastMs > 0 ? `, at least ${atLeastMs} ms` : '';
      context.addIssue({ code: 'custom', message: `is no duration such as 200ms, 60s or 10m${least}` });
      return z.NEVER;
    }
    return ms;
  });

/** A length of time that no timer waits for. */
export const age = z.string().transform((words, context) => {
  const ms = parseDuration(words);
  if (ms !== undefined && ms >= LEAST_AGE_MS && ms <= LONGEST_AGE_MS) return ms;
  context.addIssue({ code: 'custom', message: 'is no duration such as 14d, from 1h to 3650d' });
  return z.NEVER;
});

const LEAST_AGE_MS = 3_600_000;
const LONGEST_AGE_MS = 3650 * 86_400_000;

/** setTimeout counts in 32 bits: a longer time would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

export const count = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+$/, `is no whole number from ${least} to ${most}`)
    .transform(Number)
    .refine((n) => n >= least && n <= most, `is no whole number from ${least} to ${most}`);

export const names = z
  .union([z.string().transform((text) => text.split(',')), z.array(z.string())])
  .transform((all) => [...new Set(all.map((name) => name.trim()).filter((name) => name !== ''))]);

export const logLevel = z.enum(['error', 'warn', 'info', 'debug'], 'is none of error, warn, info, debug');

export const serverUrl = z.string().transform((url, context) => {
  const found = parseServerUrl(url);
  if (typeof found !== 'string') return found;
  context.addIssue({ code: 'custom', message: found });
  return z.NEVER;
});

export const mailUrl = z
  .string()
  .refine(
    (url) => /^smtps?:$/.test(URL.parse(url)?.protocol ?? ''),
    'is not of the form smtp://user:password@host:587',
  );

export const webUrl = z
  .string()
  .refine((url) => /^https?:$/.test(URL.parse(url)?.protocol ?? ''), 'is not of the form https://host/path');

/** The textfile collector of node_exporter reads no others. */
export const metricsPath = z.string().endsWith('.prom', 'does not end in .prom, as a file for node_exporter has to');
