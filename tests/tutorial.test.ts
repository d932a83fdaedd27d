import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RowDataPacket } from 'mysql2/promise';
import { createDatabase, type TestDatabase } from './support/database';
import { installLinked, type Project } from './support/project';
import { until } from './support/until';

const PAGE = join(__dirname, '..', 'docs', 'job-types.md');
const SECTION = '## From nothing to a job that survives a crash';

/** A fenced block: its language with whatever stands behind it, and its text. */
interface Block {
  kind: string;
  text: string;
}

function readBlocks(): Block[] {
  const section = readPage().split(SECTION)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^```(.+)\n([\s\S]*?)^```$/gm)].map(([, kind = '', text = '']) => ({ kind, text }));
}

let db: TestDatabase;
let project: Project;

const read = async (sql: string): Promise<RowDataPacket[]> => (await db.pool.query<RowDataPacket[]>(sql))[0];

/** A block that begins with a comment of one word is the file of that name. */
function writeFile({ text }: Block): boolean {
  const name = /^(?:\/\/|#) (\S+)\n/.exec(text)?.[1];
  if (name !== undefined) project.write(name, text);
  return name !== undefined;
}

/** The page imports so many that somebody has the time to shoot. */
const readPage = (): string => readFileSync(PAGE, 'utf8').replaceAll('300000', '1000');

/** `npx` starts the very same program, and waits for the registry where that is slow. */
const toProgram = (command: string): string => command.replace(/^npx /, './node_modules/.bin/');

/** Runs the commands of a block. What it shows below a command is what that must print. */
async function type({ text }: Block): Promise<void> {
  for (const [, command = '', shown = ''] of text.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm)) {
    if (command.startsWith('npm ')) continue; // the package is linked instead
    const printed = await project.run('sh', ['-c', toProgram(command)], { DATABASE_URL: db.url });
    if (shown !== '') expect(printed).toBe(shown);
  }
}

/** Starts the run of a block and kills it in the middle: a row that somebody else has not committed stops it there. */
async function kill({ text }: Block): Promise<void> {
  const [program = '', ...args] = toProgram(/^\$ (.*)\n$/.exec(text)?.[1] ?? '').split(' ');
  const holder = await db.pool.getConnection();
  await holder.query('START TRANSACTION');
  await holder.query("INSERT INTO customers (email, name) VALUES ('c250@example.com', 'not yet')");
  const { PATH = '' } = process.env;
  const child = spawn(program, args, {
    cwd: project.folder,
    env: { PATH, DATABASE_URL: db.url },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  try {
    // The others are done by then: they would be suspects too.
    const isThere = "SELECT SUM(saves = 2) = 1 AND SUM(status = 'failed') = 2 AS isThere FROM background_jobs";
    await until(
      async () => (await read(isThere))[0]?.['isThere'] === 1,
      'two saves of the first job, and the end of the others',
    );
  } finally {
    child.kill('SIGKILL');
    await ended;
    await holder.query('ROLLBACK');
    holder.release();
  }
  expect(await read('SELECT status, checkpoint FROM background_jobs WHERE id = 1')).toEqual([
    { status: 'running', checkpoint: '200' },
  ]);
  expect(await read('SELECT COUNT(*) AS customers FROM customers')).toEqual([{ customers: 200 }]);
}

const passLease = () =>
  db.pool.query(
    'UPDATE background_job_runs SET lease_expires_at = NOW(3) - INTERVAL 1 SECOND WHERE finished_at IS NULL',
  );

test('the tutorial does what it says', async () => {
  db = await createDatabase({ migrated: false });
  project = installLinked(['mysql2', 'zod']);
  const blocks = readBlocks();
  expect(blocks.map(({ kind }) => kind)).toEqual([
    'console',
    'sh',
    'js',
    'js',
    'console',
    'sql',
    'console',
    'js',
    'console',
    'sql',
    'console',
    'console killed',
    'console later',
  ]);
  for (const block of blocks) {
    if (block.kind === 'js' || block.kind === 'sh') expect(writeFile(block)).toBe(true);
    if (block.kind === 'sql')
      for (const statement of block.text.split(';\n').slice(0, -1)) await db.pool.query(statement);
    if (block.kind === 'console killed') await kill(block);
    if (block.kind === 'console later') await passLease();
    if (block.kind === 'console' || block.kind === 'console later') await type(block);
  }
  expect(await read('SELECT id, status, attempts, crashes, result, progress FROM background_jobs ORDER BY id')).toEqual(
    [
      {
        id: 1,
        status: 'completed',
        attempts: 1,
        crashes: 1,
        result: expect.stringMatching(/^{"customers": ?1000}$/),
        progress: expect.any(Number),
      },
      { id: 2, status: 'failed', attempts: 1, crashes: 0, result: null, progress: null },
      { id: 3, status: 'failed', attempts: 1, crashes: 0, result: null, progress: null },
    ],
  );
  expect(await read('SELECT COUNT(*) AS customers, COUNT(DISTINCT name) AS names FROM customers')).toEqual([
    { customers: 1000, names: 1000 },
  ]);
  expect(await read('SELECT file, job_id FROM uploads')).toEqual([{ file: 'customers.csv', job_id: 1 }]);
}, 90_000);
