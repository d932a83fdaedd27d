// npm run check
//
// Everything that can be said about the code without running it. All checks are made, also when one
// has failed; the exit code is 0 only if all went well.
import { spawnSync } from 'node:child_process';
import { installPackages } from './packages.mjs';
import { PROJECT } from './project.mjs';
import { run } from './run.mjs';
import { runScript, say } from './say.mjs';

const SHELL_SCRIPTS = [
  '.ci/run',
  'completion/rowlock.bash',
  'examples/any-app/order_paid.sh',
  'scripts/demo/count-words.sh',
  'scripts/demo/sync-stock.sh',
];

const CHECKS = {
  types: ['npm', 'run', '--silent', 'check:types'],
  'lint and format': ['npm', 'run', '--silent', 'check:lint'],
  'dead code': ['npm', 'run', '--silent', 'check:unused'],
};

await runScript(async () => {
  process.chdir(PROJECT);
  const checks = { ...CHECKS, ...(await shellCheck()) };
  const failed = [];
  for (const [name, command] of Object.entries(checks)) {
    say(`checking ${name}`);
    if ((await run(command)) !== 0) failed.push(name);
  }
  say(failed.length === 0 ? 'all checks passed' : `failed: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
});

/** Left out, and said to be, where it is not installed; a CI machine installs it. */
async function shellCheck() {
  const isThere = () => spawnSync('shellcheck', ['--version'], { stdio: 'ignore' }).status === 0;
  if (!isThere() && process.env['CI'] === 'true') {
    await installPackages('shellcheck', { 'apt-get': [['shellcheck']], dnf: [['ShellCheck']], apk: [['shellcheck']] });
  }
  if (isThere()) return { 'shell scripts': ['shellcheck', ...SHELL_SCRIPTS] };
  say('shellcheck is not installed: shell scripts are not checked (apt-get install shellcheck)');
  return {};
}
