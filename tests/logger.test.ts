import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const LOGGER = join(__dirname, '..', 'dist', 'logger.js');

test('what is told after the log is closed is not heard, and ends no process with an error of its own', () => {
  const script = `
    const log = require(process.argv[1]).createLog({ level: 'warn' });
    const tell = (job_id) => log.emit('job.taken_away', { job_id, job_type: 'work', attempt: 1, why: 'its run was closed' });
    tell(1);
    log.close().then(() => {
      process.exitCode = 75;
      tell(2);
    });`;
  const { status, stderr } = spawnSync(process.execPath, ['-e', script, LOGGER], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 75, stderr: expect.stringMatching(/^rowlock: job 1 .*\n$/) });
});
