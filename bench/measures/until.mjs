import { setTimeout as pause } from 'node:timers/promises';

const LOOK_EVERY_MS = 50;
const DEADLINE_MS = 60_000;
/** A run that has its slot looks for work at once; after this it is idle. */
const FIRST_LOOK_MS = 1_000;

/**
 * @param {string} what is waited for, for the error
 * @param {() => Promise<boolean>} isSo
 */
export async function until(what, isSo) {
  const end = performance.now() + DEADLINE_MS;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`waited ${DEADLINE_MS / 1000} s until ${what}`);
    await pause(LOOK_EVERY_MS);
  }
}

/**
 * Until so many runs have a slot and have found nothing.
 *
 * @param {import('mysql2/promise').Connection} connection
 * @param {number} runs
 */
export async function untilRunsAreIdle(connection, runs) {
  await until(`${runs} runs have a slot`, async () => {
    const [rows] = await connection.query(
      'SELECT COUNT(*) AS open FROM background_job_runs WHERE finished_at IS NULL AND slot IS NOT NULL',
    );
    return Number(/** @type {{ open: number }[]} */ (rows)[0]?.open) >= runs;
  });
  await pause(FIRST_LOOK_MS);
}
