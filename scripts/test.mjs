// npm test [-- JEST-ARG…]
//
// Installs what is missing, builds, brings up a database server, and runs the tests on it. A full run
// (no arguments) measures the coverage of src and fails below the minimum.
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { CLI_DUMPS, COVERAGE, checkCoverage } from './coverage.mjs';
import { withDatabase } from './database/with-database.mjs';
import { prepare } from './prepare.mjs';
import { runScript } from './say.mjs';

/** Counts of the last run, for whoever wants to read them. */
const RESULTS = '.tmp/jest.json';
const JEST = [process.execPath, 'node_modules/jest/bin/jest.js', '--json', `--outputFile=${RESULTS}`];

const args = process.argv.slice(2);
const isFullRun = args.length === 0;

await runScript(async () => {
  await prepare();
  rmSync(COVERAGE, { recursive: true, force: true });
  rmSync(RESULTS, { force: true });
  mkdirSync(dirname(RESULTS), { recursive: true });
  if (!isFullRun) return withDatabase([...JEST, ...args]);
  const code = await withDatabase([...JEST, '--coverage'], { ...process.env, ROWLOCK_TEST_COVERAGE: CLI_DUMPS });
  const wasInterrupted = code > 128;
  if (wasInterrupted) return code;
  const isCovered = await checkCoverage();
  return code === 0 && !isCovered ? 1 : code;
});
