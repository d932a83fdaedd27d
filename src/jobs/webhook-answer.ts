import type { IncomingHttpHeaders } from 'node:http';
import { codeOf, isUnrecoverable, messageOf, oneLine, RetryAfterError, UnrecoverableError } from '../errors';
import { maskSent, type Sent } from './webhook-mask';
import type { WebhookAnswer } from './webhook-request';

const LONGEST_EXCERPT = 300;
/** What is masked becomes shorter, so more is looked at than is told. */
const LOOKED_AT = 4 * LONGEST_EXCERPT;
const LONGEST_RETRY_MS = 24 * 3_600_000;

/** Says that the receiver asks for less, and when to come again. */
const COME_AGAIN = new Set([429, 503]);
/** Says that it is elsewhere; 300 and 304 say something else. */
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Says that it has moved for good. */
const MOVED = new Set([301, 308]);

/** What to throw where there was no answer. It tells the host, and nothing else of the URL: a path may be a secret. */
export function explainFailure(error: unknown, { host }: URL): Error {
  // OpenSSL's words end with a line end.
  const why = oneLine(error instanceof Error ? error.message || String(codeOf(error)) : messageOf(error));
  const words = `${notDelivered(host)}${why}`;
  return isUnrecoverable(error) ? new UnrecoverableError(words) : new Error(words);
}

/**
 * What to throw for an answer; undefined for one that takes the webhook.
 *
 * @param pauseMs before the next attempt at least: `Retry-After: 1` from a receiver that is away for an hour would
 *   use up all attempts in minutes
 */
export function explainAnswer(answer: WebhookAnswer, sent: Sent, pauseMs: number): Error | undefined {
  const { status } = answer;
  if (status >= 200 && status < 300) return undefined;
  const said = excerptOf(answer, sent);
  const words = `${notDelivered(sent.url.host)}it answered ${status}${nameOf(status)}${said === '' ? '' : `: ${said}`}`;
  if (REDIRECTS.has(status)) return explainRedirect(words, answer);
  const delayMs = COME_AGAIN.has(status) ? readRetryAfter(answer.headers) : undefined;
  if (delayMs !== undefined) return new RetryAfterError(Math.max(delayMs, pauseMs), words);
  return status >= 400 && status < 500 && status !== 429 ? new UnrecoverableError(words) : new Error(words);
}

const notDelivered = (host: string): string => `the webhook was not delivered to ${host}: `;

function nameOf(status: number): string {
  const { STATUS_CODES } = require('node:http') as typeof import('node:http');
  const name = STATUS_CODES[status];
  return name === undefined ? '' : ` ${name}`;
}

/** Of the new address only the host is told: the rest may be somebody's secret. */
function explainRedirect(words: string, { status, headers }: WebhookAnswer): Error {
  const host = URL.parse(headers.location ?? '')?.host;
  const mend = `; redirects are not followed, so enqueue it with the new address${host === undefined ? '' : `, at ${host}`}`;
  return MOVED.has(status) ? new UnrecoverableError(words + mend) : new Error(words + mend);
}

/** The beginning of an answer that is text, on one line, without what was sent to whoever answers. */
function excerptOf({ start, headers }: WebhookAnswer, sent: Sent): string {
  const answered = headers['content-encoding'] === undefined ? decode(start) : '';
  const line = answered
    .slice(0, LOOKED_AT)
    .replaceAll(/\\u([0-9a-f]{4})/gi, (_escape, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replaceAll(/(?:\\[bfnrt]|[\p{Cc}\s])+/gu, ' ');
  return oneLine(maskSent(line, sent), LONGEST_EXCERPT);
}

/** The text; nothing if it is none. Its last character may be cut in two. */
function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return ''; // a picture, or another encoding: the status has to do
  }
}

/**
 * Milliseconds until the receiver wants to be asked again, at most a day; undefined if it does not say.
 * A date is taken by the receiver's own clock, which may differ from this host's.
 */
function readRetryAfter(headers: IncomingHttpHeaders): number | undefined {
  const text = headers['retry-after']?.trim() ?? '';
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : readDate(text) - (readDate(headers.date) || Date.now());
  return Number.isNaN(ms) ? undefined : Math.min(LONGEST_RETRY_MS, ms);
}

/** A date of HTTP, which is always in GMT; anything else is NaN. */
const readDate = (text: string | undefined): number => (text?.endsWith('GMT') ? Date.parse(text) : Number.NaN);
