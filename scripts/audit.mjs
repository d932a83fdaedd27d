// npm run audit [-- --answered]
//
// Asks the registry for known vulnerabilities of all packages that the lock file names, those of the development too.
// Exit code 1 if there is one, or if it could not be found out: no npm, no lock file, no network, a registry in trouble.
// A mirror may have no such question: that is said, and is no failure, unless --answered asks for an answer.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { PROJECT } from './project.mjs';
import { Refusal, runScript, say } from './say.mjs';

const DEADLINE_MS = 60_000;

/** HTTP statuses of a registry that knows no such question. */
const NOT_ASKED_HERE = [404, 405, 501];

/** @typedef {{ name: string, severity: string, range: string, isDirect: boolean, fixAvailable: unknown }} Vulnerability */

/**
 * What `npm audit --json` prints: a report, or why there is none.
 * @typedef {object} Answer
 * @property {number} [auditReportVersion]
 * @property {Record<string, Vulnerability>} [vulnerabilities]
 * @property {number} [statusCode] of the registry's refusal
 * @property {string} [message]
 * @property {{ summary?: string }} [error]
 */

await runScript(async () => {
  const { answered } = parseArgs({ options: { answered: { type: 'boolean', default: false } } }).values;
  const { auditReportVersion, vulnerabilities = {}, statusCode, message, error } = ask();
  if (auditReportVersion === undefined) {
    const reason = message ?? error?.summary ?? 'it does not say why';
    if (answered || statusCode === undefined || !NOT_ASKED_HERE.includes(statusCode))
      throw new Refusal(`npm audit got no answer: ${reason}`);
    say(
      `this registry does not say which packages have vulnerabilities (a mirror?): nothing was found out (${reason})`,
    );
    return 0;
  }
  const found = Object.values(vulnerabilities);
  for (const { name, severity, range, fixAvailable } of found) {
    say(`${name} ${range}: ${severity}; ${fixAvailable === false ? 'no fix yet' : 'npm audit fix'}`);
  }
  if (found.length === 0) say('no package has a known vulnerability');
  return found.length === 0 ? 0 : 1;
});

/** @returns {Answer} */
function ask() {
  const ended = spawnSync('npm', ['audit', '--json'], { cwd: PROJECT, encoding: 'utf8', timeout: DEADLINE_MS });
  if (ended.error !== undefined) throw new Refusal(`npm audit did not come to its end: ${ended.error.message}`);
  try {
    return JSON.parse(ended.stdout);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const line = ended.stderr.split('\n').find((text) => text !== '') ?? `exit code ${ended.status ?? ended.signal}`;
    throw new Refusal(`npm audit printed no JSON: ${line}`);
  }
}
