import { createConnection } from 'mysql2/promise';
import { createDatabase, type TestDatabase } from '../support/database';
import { insertJob, insertRow } from '../support/rows';
import { until } from '../support/until';
import { Faults } from './stage/faults.mjs';
import { isOfServer } from './stage/of-server.mjs';
import { Sampler } from './stage/sampler.mjs';
import type { Server } from './stage/server.mjs';

// What the fault harness looks for while a scene is played, broken on purpose in the tables themselves.

let db: TestDatabase;

beforeAll(async () => {
  db = await createDatabase();
});

/** What is found in the tables as they are. */
async function look(): Promise<Sampler> {
  const connect = () => createConnection({ uri: db.url, supportBigNumbers: true });
  const sampler = new Sampler({ connect } as unknown as Server, new Faults());
  sampler.begin();
  await until(() => sampler.samples > 0, 'it has looked');
  await sampler.stop();
  return sampler;
}

test('a row whose run is over, and one whose columns contradict each other', async () => {
  const ago = (seconds: number) => new Date(Date.now() - seconds * 1_000);
  const runOf = (id: number, seconds: number) =>
    insertRow(db, 'background_job_runs', {
      id,
      host: 'h',
      pid: 1,
      selection: '',
      started_at: ago(60),
      lease_expires_at: ago(seconds),
      finished_at: ago(seconds),
      outcome: 'lost',
    });
  await runOf(71, 21);
  await runOf(72, 10);
  const held = { status: 'running', attempts: 1, started_at: ago(30) };
  const left = await insertJob(db, { ...held, run_id: 71 });
  await insertJob(db, { ...held, run_id: 72 });
  const crooked = await insertJob(db, { status: 'completed', attempts: 1, run_id: 72 });
  const ended = await insertJob(db, { status: 'completed', attempts: 1, run_id: 72, processed_at: ago(1) });

  const sampler = await look();
  expect(sampler.findings).toEqual([
    { check: 'held by nobody', id: left, text: 'running for run 71, which is over for 20 s' },
    { check: 'row in one piece', id: crooked, text: 'completed, but its other columns say something else' },
  ]);
  expect([...sampler.ended]).toEqual([
    [
      `${ended} null`,
      {
        id: ended,
        status: 'completed',
        token: null,
        attempts: 1,
        runId: 72,
        endedAt: expect.stringMatching(/^\d+\.\d{3}$/),
      },
    ],
  ]);
});

test('a statement that the server does not understand is no server that is away', async () => {
  const askedWrongly = db.pool.query('SELECT no_such_column FROM background_jobs');
  expect(isOfServer(await askedWrongly.catch((error: unknown) => error))).toBe(false);
  const refused = createConnection({ host: '127.0.0.1', port: 1 });
  expect(isOfServer(await refused.catch((error: unknown) => error))).toBe(true);
});
