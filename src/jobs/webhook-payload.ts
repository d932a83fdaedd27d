import { lazySchema } from './lazy-schema';

/** The payload of `webhook.deliver`. */
export interface Webhook {
  url: URL;
  /** Any JSON. A text is sent as it is, the rest as JSON. */
  body: unknown;
  /** By name, in small letters. */
  headers: Record<string, string>;
}

const LONGEST_URL = 8_000;
const NO_URL = 'is no URL of the form https://host/path';

/** Those of the signature, and those by which a request's end, its host or its connection would be another. */
const OWN_HEADER =
  /^(webhook-.*|proxy-.*|connection|content-length|expect|host|keep-alive|te|trailer|transfer-encoding|upgrade)$/;

/** The URL, or undefined if it is none that a webhook can be sent to. */
function readUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  return isDecodable(url.username) && isDecodable(url.password) ? url : undefined;
}

function isDecodable(part: string): boolean {
  try {
    decodeURIComponent(part);
    return true;
  } catch {
    return false; // a bare % in it: what it stands for cannot be told
  }
}

/** What is wrong with a header, or undefined. */
function findHeaderFault(name: string, value: string): string | undefined {
  const { validateHeaderName, validateHeaderValue } = require('node:http') as typeof import('node:http');
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  } catch {
    return 'is no header that HTTP allows (the name in letters, digits and -, the value on one line)';
  }
  return OWN_HEADER.test(name.toLowerCase()) ? 'is set by Rowlock itself; leave it out' : undefined;
}

export const webhookSchema = lazySchema<Webhook>(() => {
  const { z } = require('zod') as typeof import('zod');
  return z.strictObject({
    url: z
      .string(NO_URL)
      .max(LONGEST_URL)
      .transform((text, context): URL => {
        const url = readUrl(text);
        if (url === undefined) context.addIssue({ code: 'custom', message: NO_URL });
        return url ?? z.NEVER;
      }),
    body: z.unknown().refine((body) => body !== undefined, 'is missing; give what is to be sent, any JSON'),
    headers: z
      .record(z.string(), z.string())
      .transform((headers, context): Record<string, string> => {
        for (const [name, value] of Object.entries(headers)) {
          const message = findHeaderFault(name, value);
          if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message });
        }
        return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
      })
      .default({}),
  });
});
