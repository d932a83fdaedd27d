import type { LookupAddress } from 'node:dns';
import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';
import { isIP, type LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import { UnrecoverableError } from '../errors';
import type { AddressCheck } from './public-address';

export interface WebhookRequest {
  url: URL;
  headers: Record<string, string>;
  body: string;
  signal: AbortSignal;
  /** Asked of the address that is connected to, whatever name or notation the URL has. */
  isAllowed: AddressCheck;
  /** For the name, the connection and TLS together. */
  connectMs: number;
  /** From the start to the last byte of the answer. */
  totalMs: number;
  /** Finds the addresses of a name. @default the system's resolver */
  lookup?: LookupFunction | undefined;
}

/** Nothing is known of the request's fate but by its status: once that is there, it was delivered or refused. */
export interface WebhookAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** The beginning of the answer's body. */
  start: Buffer;
  /** There was more of it than is read, or it did not come to its end. */
  isCut: boolean;
}

/** More than any acknowledgement, and little enough for a hundred at once. */
const MOST_BYTES = 64 * 1024;
/** Of a host with several addresses each gets this long. Node's own 250 ms never reach one on the other side of the world. */
const NEXT_ADDRESS_MS = 3_000;

/**
 * Sends a POST on a connection of its own and reads the answer. Follows no redirect. The address is checked between
 * the name's lookup and the connection, which is made to what was checked: a name that resolves to another address the
 * second time gains nothing by it.
 *
 * @throws UnrecoverableError if the address is not allowed; else what went wrong, before there was an answer
 */
export async function postWebhook(request: WebhookRequest): Promise<WebhookAnswer> {
  const { url, isAllowed } = request;
  // A name goes through the lookup, an address does not.
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isAllowed(host)) throw refuse(host);
  const { lookup } = require('node:dns') as typeof import('node:dns');
  return send(request, { lookup: guardLookup(request.lookup ?? lookup, isAllowed) });
}

function send(
  { url, headers, body, signal, connectMs, totalMs }: WebhookRequest,
  { lookup }: Required<Pick<RequestOptions, 'lookup'>>,
): Promise<WebhookAnswer> {
  const isSecure = url.protocol === 'https:';
  const { request } = require(isSecure ? 'node:https' : 'node:http') as typeof import('node:http');
  return new Promise((resolve, reject) => {
    const timers: NodeJS.Timeout[] = [];
    const giveUpAfter = (ms: number, what: string): NodeJS.Timeout => {
      const timer = setTimeout(() => sent.destroy(new Error(`no ${what} within ${ms} ms`)), ms);
      timers.push(timer);
      return timer;
    };
    const rejectUnanswered = () => reject(new Error('it closed the connection without an answer'));
    // No agent: a connection that is kept may be closed by the other side just as the next request takes it.
    const options = {
      method: 'POST',
      headers,
      agent: false,
      lookup,
      signal,
      autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
    };
    const sent = request(url, options, (answer) => {
      // What ends the connection from now on ends the reading, and no more.
      sent.off('error', reject).off('close', rejectUnanswered);
      sent.on('error', () => undefined);
      void readStart(answer).then((read) => {
        sent.destroy();
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, ...read });
      });
    });
    const connecting = giveUpAfter(connectMs, 'connection');
    giveUpAfter(totalMs, 'answer');
    sent.on('socket', (socket) => socket.once(isSecure ? 'secureConnect' : 'connect', () => clearTimeout(connecting)));
    // 101 is no 'response', and nobody asked for another protocol.
    sent.on('upgrade', (answer: IncomingMessage, socket: Duplex) => {
      socket.destroy();
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, start: Buffer.alloc(0), isCut: false });
    });
    sent.on('error', reject);
    sent.on('close', () => timers.forEach(clearTimeout));
    // However it ended: a promise that never settles would hold its job until the run leaves it, and claims no more.
    sent.on('close', rejectUnanswered);
    sent.end(body);
  });
}

/** Never rejects: with the status the rest of an answer decides nothing. */
function readStart(answer: IncomingMessage): Promise<Pick<WebhookAnswer, 'start' | 'isCut'>> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const end = (isCut: boolean) => resolve({ start: Buffer.concat(chunks).subarray(0, MOST_BYTES), isCut });
    answer.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MOST_BYTES) end(true);
    });
    answer.once('end', () => end(false));
    answer.on('error', () => end(true));
    answer.once('close', () => end(true));
  });
}

/** Hands on only those addresses of a name that are allowed. */
function guardLookup(find: LookupFunction, isAllowed: AddressCheck): LookupFunction {
  return (name, options, done) => {
    find(name, { ...options, all: true }, (error, found) => {
      if (error !== null) return done(error, '');
      const addresses = found as LookupAddress[];
      const allowed = addresses.filter(({ address }) => isAllowed(address));
      const [first] = allowed;
      if (first === undefined) return done(refuse(`${name}, at ${addresses[0]?.address},`), '');
      if (options.all === true) return done(null, allowed);
      done(null, first.address, first.family);
    });
  };
}

const refuse = (what: string): UnrecoverableError =>
  new UnrecoverableError(
    `${what} is no host of the public internet; if webhooks may go there, name its network in WEBHOOK_ALLOW_PRIVATE`,
  );
