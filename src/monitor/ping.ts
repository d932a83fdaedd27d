import { randomUUID } from 'node:crypto';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { codeOf } from '../errors';
import type { Emit } from '../events';
import { setTimeout } from '../timers';

/** A ping that was sent while the run works may take this long. */
const START_MS = 5_000;

/** All that pinging may add to a run; the end ping has what the start ping leaves of it. */
const LAST_MS = 5_000;

/** How long of that the start ping may take. */
const LAST_OF_START_MS = 2_000;

const PAUSE_MS = 500;
const TRIES = 2;
const REDIRECTS_AT_MOST = 5;

/**
 * Tells healthchecks.io, or what speaks as it does, that a run starts (`<url>/start`) and how it ended: `<url>`
 * for exit code 0, `<url>/<exit code>` for another. `rid` pairs the two, as runs may overlap. A ping that goes
 * wrong is told at info and changes nothing. The URL is a secret: whoever knows it can ping; it is told nowhere.
 */
export class Pings {
  private readonly url: URL;
  private readonly emit: Emit;
  private readonly rid = randomUUID();
  private readonly startLimit = new AbortController();
  private readonly started: Promise<void>;

  /** Sends the start ping, and does not wait for it. */
  constructor(url: string, emit: Emit) {
    this.url = new URL(url);
    this.emit = emit;
    abortIn(START_MS, this.startLimit);
    this.started = this.ping('start', '/start', '', this.startLimit.signal);
  }

  /** Sends the end ping, once the start ping has ended or was given up: the two never arrive in another order. */
  async end(exitCode: number, body: string): Promise<void> {
    const endLimit = new AbortController();
    abortIn(LAST_OF_START_MS, this.startLimit);
    abortIn(LAST_MS, endLimit);
    await this.started;
    await this.ping('end', exitCode === 0 ? '' : `/${exitCode}`, body, endLimit.signal);
  }

  private async ping(which: 'start' | 'end', path: string, body: string, signal: AbortSignal): Promise<void> {
    const url = this.at(path);
    for (let tries = 1; ; tries++) {
      const { why, mayPass } = await send(url, body, signal);
      if (why === undefined) return;
      // A watcher that was told of a start and of no end raises an alarm. A missing start does no harm.
      if (which === 'start' || !mayPass || tries === TRIES) return this.emit('ping.failed', { ping: which, why });
      await pause(PAUSE_MS);
    }
  }

  /** The URL with this behind its path. What its query says already stays as it is. */
  private at(path: string): URL {
    const url = new URL(this.url);
    url.hash = '';
    if (path !== '') url.pathname = url.pathname.replace(/\/*$/, path);
    if (!url.searchParams.has('rid')) url.search = `${url.search === '' ? '?' : `${url.search}&`}rid=${this.rid}`;
    return url;
  }
}

interface Sent {
  /** Why it failed, in words that hold nothing of the URL; undefined: it did not. */
  why?: string;
  /** Another try may have more luck. */
  mayPass?: boolean;
}

async function send(url: URL, body: string, signal: AbortSignal): Promise<Sent> {
  try {
    const status = await post(url, body, signal);
    return status >= 200 && status < 300 ? {} : { why: `HTTP ${status}`, mayPass: status >= 500 || status === 429 };
  } catch (error) {
    if (signal.aborted) return { why: 'no answer in time' };
    // Never the message of an error: it may show the URL.
    return { why: codeOf(error) ?? (error instanceof Error ? error.name : 'unknown'), mayPass: true };
  }
}

/** Answers with the status, at the end of all redirects. */
async function post(url: URL, body: string, signal: AbortSignal): Promise<number> {
  let target = url;
  for (let redirects = 0; ; redirects++) {
    const { statusCode = 0, headers } = await postOnce(target, body, signal);
    const next = statusCode >= 300 && statusCode < 400 ? URL.parse(headers.location ?? '', target.href) : null;
    if (next === null || !/^https?:$/.test(next.protocol) || redirects === REDIRECTS_AT_MOST) return statusCode;
    target = next;
  }
}

// Not fetch: what that loads takes 25 ms of every tick, and it refuses some ports.
function postOnce(url: URL, body: string, signal: AbortSignal): Promise<IncomingMessage> {
  const { request }: typeof import('node:http') = require(url.protocol === 'https:' ? 'node:https' : 'node:http');
  const headers = { 'user-agent': 'rowlock', 'content-type': 'text/plain; charset=utf-8' };
  return new Promise((resolve, reject) => {
    // A connection of its own: a kept one may be closed by the server just as the end ping takes it.
    const sent: ClientRequest = request(url, { method: 'POST', headers, signal, agent: false }, (answer) => {
      answer.on('error', reject).resume();
      resolve(answer);
    });
    sent.on('error', reject).end(body);
  });
}

const abortIn = (ms: number, controller: AbortController): unknown => setTimeout(() => controller.abort(), ms).unref();
