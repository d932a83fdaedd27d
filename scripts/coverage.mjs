import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { PROJECT } from './project.mjs';
import { run } from './run.mjs';
import { say } from './say.mjs';

export const COVERAGE = join(PROJECT, 'coverage');
/** Where the commands that tests start leave what they executed, as `NODE_V8_COVERAGE` has it. */
export const CLI_DUMPS = join(COVERAGE, 'cli');
const BY_TESTS = join(COVERAGE, 'jest', 'coverage-final.json');
const BY_COMMANDS = join(COVERAGE, 'commands', 'coverage-final.json');

/** The file of the command; what its lines were in src stands beside it. */
const COMMAND = join(PROJECT, 'dist', 'cli.js');

const LEAST_PERCENT_OF_LINES = 90;

/**
 * Shows how much of src the last run of the tests executed: by itself, and in the commands that it started.
 *
 * @returns {Promise<boolean>} whether it is enough
 */
export async function checkCoverage() {
  if (existsSync(CLI_DUMPS)) await reportOnCommands();
  // Loaded here, since on a fresh clone it is installed only after this script has started.
  const { default: libCoverage } = await import('istanbul-lib-coverage');
  const map = libCoverage.createCoverageMap(readReport(BY_TESTS));
  map.merge(readReport(BY_COMMANDS));
  // The file of the command has its packages in it, too.
  map.filter((file) => !file.includes('node_modules'));
  await print(map);
  const { pct } = map.getCoverageSummary().lines;
  const isEnough = pct >= LEAST_PERCENT_OF_LINES;
  if (!isEnough) say(`${pct} % of the lines of src are covered; at least ${LEAST_PERCENT_OF_LINES} % must be`);
  return isEnough;
}

/** Puts the dumps of all commands together, in terms of the lines of src. */
async function reportOnCommands() {
  const data = JSON.parse(readFileSync(`${COMMAND}.map`, 'utf8'));
  // As a dump would have it, were the map named in the file.
  const dump = { result: [], 'source-map-cache': { [pathToFileURL(COMMAND).href]: { data } } };
  writeFileSync(join(CLI_DUMPS, 'source-map.json'), JSON.stringify(dump));
  const c8 = fileURLToPath(import.meta.resolve('c8/bin/c8.js'));
  const what = ['--include', 'dist/**', '--exclude', '', '--temp-directory', CLI_DUMPS, '--merge-async'];
  await run([process.execPath, c8, 'report', ...what, '--reporter', 'json', '--reports-dir', dirname(BY_COMMANDS)]);
  // Half a megabyte for each command.
  rmSync(CLI_DUMPS, { recursive: true });
}

/**
 * @param {string} file
 * @returns {import('istanbul-lib-coverage').CoverageMapData}
 */
function readReport(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

/** @param {import('istanbul-lib-coverage').CoverageMap} coverageMap */
async function print(coverageMap) {
  const { default: libReport } = await import('istanbul-lib-report');
  const { default: reports } = await import('istanbul-reports');
  const context = libReport.createContext({ dir: join(COVERAGE, 'html'), coverageMap });
  reports.create('text', { skipFull: true }).execute(context);
  reports.create('html').execute(context);
}
