import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Handlers tell how often they ran in a file of their process's, at most this often: a write a job would be felt. */
const TELL_EVERY_MS = 5;

const folder = process.env['BENCH_HANDLED'];
let count = 0;
/** @type {number | undefined} */
let file;
let isTelling = false;

/** A handler ran. Without the folder of {@link file:../measures/drain.mjs} nothing is told. */
export function countOne() {
  count++;
  if (isTelling || folder === undefined) return;
  isTelling = true;
  setTimeout(tell, TELL_EVERY_MS).unref();
}

process.on('exit', () => {
  if (count > 0 && folder !== undefined) tell();
});

function tell() {
  isTelling = false;
  file ??= openSync(join(folder ?? '', String(process.pid)), 'w');
  writeSync(file, `${count}\n`, 0);
}
