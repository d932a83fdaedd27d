import { IDS_AT_MOST } from '../src/queue/job';
import { prune } from '../src/queue/prune';
import { NOTHING, openPruneBench, type PruneBench, TWO_WEEKS } from './support/prune';
import { type Sessions, watchSessions } from './support/sessions';

let bench: PruneBench;
let sessions: Sessions;

beforeAll(async () => {
  bench = await openPruneBench();
  sessions = await watchSessions(bench.db);
});

beforeEach(() => bench.clear());

/** What quotes and placeholders are made of. */
const STRANGE = 'strange`:ids?\'"table';

describe('foreign keys of other tables', () => {
  afterEach(async () => {
    for (const table of ['grandchild', 'child', 'second', STRANGE]) await bench.sql('DROP TABLE IF EXISTS ??', [table]);
  });

  const addChild = async (table: string, rule: string) => {
    await bench.sql(
      `CREATE TABLE ?? (id INT AUTO_INCREMENT PRIMARY KEY, job_id BIGINT UNSIGNED, FOREIGN KEY (job_id) REFERENCES background_jobs (id) ${rule})`,
      [table],
    );
    await bench.db.users.allow('worker', 'SELECT, REFERENCES (job_id)', table);
  };

  const refer = async (table: string, jobs: readonly number[]) =>
    bench.sql('INSERT INTO ?? (job_id) VALUES ?', [table, jobs.map((id) => [id])]);

  test('keep the jobs that rows refer to, and no others', async () => {
    await addChild('child', '');
    await addChild('second', 'ON DELETE RESTRICT');
    await addChild(STRANGE, '');
    await bench.addEnded(1_500, 20);
    const all = await bench.ids();
    const kept = [all[0], all[77], all[1_499]].map(Number);
    await refer('child', [...kept.slice(0, 2), ...kept.slice(0, 2)]);
    await refer('second', kept.slice(2));
    const expected = { ...NOTHING, completed: 1_497, kept: 3, keptBy: ['child.job_id', 'second.job_id'] };
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual(expected);
    expect(await bench.ids()).toEqual(kept);
    await refer(STRANGE, kept.slice(0, 1));
    await bench.sql('DELETE FROM child');
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual({
      ...NOTHING,
      completed: 1,
      kept: 2,
      keptBy: ['second.job_id', `${STRANGE}.job_id`],
    });
  });

  test('that cascade take their rows along; what refers to those keeps the job', async () => {
    await addChild('child', 'ON DELETE CASCADE');
    await bench.sql('CREATE TABLE grandchild (child_id INT, FOREIGN KEY (child_id) REFERENCES child (id))');
    await bench.addEnded(40, 20);
    const all = await bench.ids();
    await refer('child', all);
    await bench.sql('INSERT INTO grandchild SELECT id FROM child WHERE job_id IN (?)', [all.slice(10, 12)]);
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual({ ...NOTHING, completed: 38, kept: 2 });
    expect(await bench.ids()).toEqual(all.slice(10, 12));
    expect(await bench.count('child')).toBe(2);
  });

  test('a parent among the jobs themselves goes after its children', async () => {
    await bench.sql(
      'ALTER TABLE background_jobs ADD parent_id BIGINT UNSIGNED NULL, ADD CONSTRAINT parent FOREIGN KEY (parent_id) REFERENCES background_jobs (id)',
    );
    try {
      const parent = await bench.addOne(20);
      for (let n = 0; n < 5; n++) await bench.addOne(20, { parent_id: parent });
      const first = await prune(bench.pool, TWO_WEEKS);
      const second = await prune(bench.pool, TWO_WEEKS);
      expect(first.completed + second.completed).toBe(6);
      expect(await bench.ids()).toEqual([]);
    } finally {
      await bench.sql('ALTER TABLE background_jobs DROP FOREIGN KEY parent');
      await bench.sql('ALTER TABLE background_jobs DROP COLUMN parent_id');
    }
  });

  test('a row of the other table that is locked holds up its portion until the next time, and nothing else', async () => {
    await addChild('child', 'ON DELETE CASCADE');
    await bench.addEnded(1_000, 20);
    const [first = 0] = await bench.ids();
    await refer('child', [first]);
    const other = await sessions.hold('SELECT * FROM child FOR UPDATE');
    try {
      expect(await prune(bench.pool, TWO_WEEKS)).toEqual({ ...NOTHING, completed: 100, locked: IDS_AT_MOST });
    } finally {
      await other.release();
    }
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual({ ...NOTHING, completed: 900 });
  });
});
