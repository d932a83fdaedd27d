// Runs the steps of a plan, the last of which is a database server, until its standard input ends:
// when whoever started it asks for that, and also when they are killed. Then it ends the server and
// deletes the folder, so that nothing is left behind whatever happens.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';

/** @type {import('./private-server.mjs').Plan} */
const plan = JSON.parse(process.argv[2] ?? '');

/** @type {import('node:child_process').ChildProcess | undefined} */
let current;
let stopping = false;

process.stdin.resume().on('end', stop);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);

for (const [program = '', ...args] of plan.steps) {
  if (stopping) break;
  // In a group of its own: the initialising step is a shell script with a server below it.
  current = spawn(program, args, { cwd: plan.folder, detached: true, stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(current, 'exit');
  if (code !== 0) break;
}
if (plan.cleanup) runQuietly(plan.cleanup);
// After a failure the log in the folder is still to be read by whoever started us.
if (stopping) rmSync(plan.folder, { recursive: true, force: true, maxRetries: 10 });
process.exit();

/** At once: nobody will read this data again. */
function stop() {
  if (stopping) return;
  stopping = true;
  if (current?.pid !== undefined && current.exitCode === null) process.kill(-current.pid, 'SIGKILL');
}

/** @param {string[]} command */
function runQuietly([program = '', ...args]) {
  spawnSync(program, args, { stdio: 'ignore' });
}
