// npm run audit
//
// Asks the registry for known vulnerabilities of all packages that the lock file names, those of the development too.
// Exit code 1 if there is one. A mirror may not answer such a question; that is said, and is no failure.
import { spawnSync } from 'node:child_process';
import { PROJECT } from './project.mjs';
import { runScript, say } from './say.mjs';

const DEADLINE_MS = 60_000;

/** @typedef {{ name: string, severity: string, range: string, isDirect: boolean, fixAvailable: unknown }} Vulnerability */

await runScript(async () => {
  const { stdout } = spawnSync('npm', ['audit', '--json'], { cwd: PROJECT, encoding: 'utf8', timeout: DEADLINE_MS });
  const report = readReport(stdout ?? '');
  if (report === undefined) {
    say('the registry does not say which packages have vulnerabilities (a mirror?): nothing was found out');
    return 0;
  }
  for (const { name, severity, range, fixAvailable } of report) {
    say(`${name} ${range}: ${severity}; ${fixAvailable === false ? 'no fix yet' : 'npm audit fix'}`);
  }
  if (report.length === 0) say('no package has a known vulnerability');
  return report.length === 0 ? 0 : 1;
});

/**
 * @param {string} json what npm printed
 * @returns {Vulnerability[] | undefined} undefined: it got no answer
 */
function readReport(json) {
  try {
    const { auditReportVersion, vulnerabilities } = JSON.parse(json);
    return auditReportVersion === undefined ? undefined : Object.values(vulnerabilities);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // it printed nothing, or no JSON
    throw error;
  }
}
