import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { checkCrontab, hasRealCron, startCron } from './support/cron';
import { createDatabase, type TestDatabase } from './support/database';
import { rowlock } from './support/rowlock';
import { readJob } from './support/rows';
import { until } from './support/until';

/** The next minute, and what a busy machine needs after it. */
const TICK_MS = 120_000;

const whereCronIs = hasRealCron ? test : test.skip;
if (!hasRealCron) process.stderr.write('rowlock: real cron is not tested here; that takes root on a Debian Linux\n');

let folder: string;

beforeAll(() => {
  // All that sh, cron and env files give a meaning to.
  folder = join(mkdtempSync(join(tmpdir(), 'rowlock-crontab-')), `it's 100% \\% of $HOME`);
  mkdirSync(folder);
  writeFileSync(
    join(folder, 'jobs.json'),
    JSON.stringify([
      { type: 'test.answer', command: ['/bin/sh', '-c', 'pwd | sed "s/.*/\\"&\\"/"'] },
      { type: 'test.refuse', command: ['/bin/sh', '-c', 'echo "no such customer" >&2; exit 65'] },
    ]),
  );
});

afterAll(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

/** The line for a queue of this database, as its owner would print it. */
async function printLine(db: TestDatabase, queue: string): Promise<string> {
  const envFile = `${db.name} 5%.env`;
  writeFileSync(join(folder, envFile), `DATABASE_URL=${db.url}\n`);
  const args = ['--env-file', envFile, '--jobs', 'jobs.json', '--queue', queue, '--max-time', '5m'];
  const { code, stdout, stderr } = await rowlock(['crontab', ...args], { cwd: folder });
  expect({ code, faults: stderr.replace(/.* names a version; .*\n/, '') }).toEqual({ code: 0, faults: '' });
  return stdout;
}

whereCronIs(
  'real cron runs the printed line: an inserted row is completed by the next tick, and only a dead letter is mailed',
  async () => {
    const [good, bad] = [await createDatabase(), await createDatabase()];
    const lines = [await printLine(good, '50% off'), await printLine(bad, 'default')];
    const cron = await startCron(`MAILTO=ops@example.com\n${lines.join('')}`);
    await good.pool.query(`INSERT INTO background_jobs (job_type, queue) VALUES ('test.answer', '50% off')`);
    await bad.pool.query(`INSERT INTO background_jobs (job_type, payload) VALUES ('test.refuse', '{"id": 7}')`);
    const hasStatus = async (db: TestDatabase, status: string) => {
      // Any other mail says why this would be waited for in vain.
      expect(cron.mails().filter((mail) => !mail.includes('failed for good'))).toEqual([]);
      return (await readJob(db, 1))['status'] === status;
    };
    await until(() => hasStatus(good, 'completed'), 'cron has the job done', { deadlineMs: TICK_MS });
    await until(() => hasStatus(bad, 'failed'), 'cron has the other job done', { deadlineMs: TICK_MS });
    await cron.stop();

    const mails = cron.mails();
    expect(mails).toHaveLength(1);
    expect(mails[0]).toContain('To: ops@example.com\n');
    expect(mails[0]).toMatch(
      /\n\nrowlock: 1 job failed for good: test\.refuse \(1\): no such customer; see rowlock show 1\n$/,
    );
    const [runs] = await good.pool.query('SELECT outcome, completed FROM background_job_runs');
    expect(runs).toEqual([{ outcome: 'finished', completed: 1 }]);
    expect((await readJob(good, 1))['result']).toBe(JSON.stringify(userInfo().homedir));
  },
  TICK_MS + 30_000,
);

whereCronIs("Debian's crontab accepts crontab.example, also with every example put in use", async () => {
  const example = readFileSync(join(__dirname, '..', 'crontab.example'), 'utf8');
  const inUse = example.replaceAll(/^# (?=[\d*]+ |@|[A-Z_]+=)/gm, '');
  expect(inUse.length).toBeLessThan(example.length);
  for (const crontab of [example, inUse]) {
    expect(await checkCrontab(crontab)).toEqual({ code: 0, said: expect.not.stringContaining('error') });
  }
  expect(await checkCrontab(`${inUse}* * * * rowlock run\n`)).toMatchObject({ code: 1 });
});
