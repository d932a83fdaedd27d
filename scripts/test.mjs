// npm test [-- JEST-ARG…]
//
// Installs what is missing, builds, brings up a database server, and runs the tests on it. A full run
// (no arguments) measures the coverage of src and fails below the minimum.
import { rmSync } from 'node:fs';
import { CLI_DUMPS, COVERAGE, checkCoverage } from './coverage.mjs';
import { withDatabase } from './database/with-database.mjs';
import { prepare } from './prepare.mjs';
import { runScript } from './say.mjs';

const JEST = [process.execPath, 'node_modules/jest/bin/jest.js', '--json', '--outputFile=.tmp/jest.json'];

const args = process.argv.slice(2);
const isFullRun = args.length === 0;

await runScript(async () => {
  await prepare();
  rmSync(COVERAGE, { recursive: true, force: true });
  if (!isFullRun) return withDatabase([...JEST, ...args]);
  const code = await withDatabase([...JEST, '--coverage'], { ...process.env, ROWLOCK_TEST_COVERAGE: CLI_DUMPS });
  const isCovered = await checkCoverage();
  return code === 0 && !isCovered ? 1 : code;
});
