import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import { JsonError, parseJson, toJson } from './payload';

const LONGEST_RESULT = 1024 * 1024;
const LONGEST_ERROR = 2_000;
/** A character has four bytes at most. */
const ERROR_BYTES = LONGEST_ERROR * 4;

/** What a program printed, as a job's result; `dropped` says why that is null although something was printed. */
export type PrintedResult = { result: string | null; dropped?: string };

/** Reads all of standard output and keeps its first megabyte. */
export function collectResult(stdout: Readable): () => PrintedResult {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= LONGEST_RESULT) chunks.push(chunk);
    else chunks.length = 0;
  });
  return () =>
    bytes > LONGEST_RESULT ? { result: null, dropped: 'it is over 1 MB' } : readResult(Buffer.concat(chunks));
}

/** Programs print all kinds of things; what is no JSON is no result, and no fault. */
function readResult(printed: Buffer): PrintedResult {
  const text = printed.toString('utf8').replace(/^\uFEFF/, '');
  if (!isUtf8(printed) || text.trim() === '') return { result: null };
  try {
    // Written anew, so that what the database gets is sure to be JSON that it takes.
    const result = toJson(parseJson(text));
    return Buffer.byteLength(result) > LONGEST_RESULT ? { result: null, dropped: 'it is over 1 MB' } : { result };
  } catch (error) {
    if (error instanceof JsonError) return { result: null };
    throw error;
  }
}

/** Reads all of standard error and keeps its end. */
export function collectError(stderr: Readable): () => string {
  let chunks: Buffer[] = [];
  let bytes = 0;
  stderr.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes < 8 * ERROR_BYTES) return;
    chunks = [Buffer.concat(chunks).subarray(-ERROR_BYTES)];
    bytes = ERROR_BYTES;
  });
  return () => {
    const text = Buffer.concat(chunks).subarray(-ERROR_BYTES).toString('utf8').trim();
    return text.slice(-LONGEST_ERROR).toWellFormed().replaceAll('\0', '\uFFFD').trim();
  };
}
