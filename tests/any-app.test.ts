import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RowDataPacket } from 'mysql2/promise';
import { createDatabase, type TestDatabase } from './support/database';
import { hasDebian } from './support/debian';
import { startOwnServer } from './support/own-server';
import { rowlock } from './support/rowlock';
import {
  hasJava,
  hasPerl,
  hasPython,
  type Runtime,
  unpackJava,
  unpackPerl,
  unpackPhp,
  unpackPython,
  unpackRuby,
  unpackShell,
} from './support/runtimes';

const ROOT = join(__dirname, '..');
const FOLDER = join(ROOT, 'examples', 'any-app');
const PAGE = readFileSync(join(ROOT, 'docs', 'any-app.md'), 'utf8');

/** Each with another zone of its sessions. */
interface App {
  language: string;
  file: string;
  zone: string;
  isHere: boolean;
  find(): Runtime;
}

/** The zone of the server's machine: with a summer time, and no need of the server's tables of zones. */
const MACHINE = 'Europe/Berlin';

const APPS: App[] = [
  { language: 'PHP', file: 'order_paid.php', zone: '+05:30', isHere: hasDebian, find: unpackPhp },
  { language: 'Python', file: 'order_paid.py', zone: 'SYSTEM', isHere: hasDebian && hasPython, find: unpackPython },
  { language: 'Ruby', file: 'order_paid.rb', zone: '-03:30', isHere: hasDebian, find: unpackRuby },
  { language: 'Perl', file: 'order_paid.pl', zone: '+13:00', isHere: hasDebian && hasPerl, find: unpackPerl },
  { language: 'the shell', file: 'order_paid.sh', zone: '-11:00', isHere: hasDebian, find: unpackShell },
  { language: 'Java', file: 'OrderPaid.java', zone: '+08:45', isHere: hasDebian && hasJava, find: unpackJava },
  {
    language: 'Node',
    file: 'order_paid.mjs',
    zone: '-07:00',
    isHere: true,
    find: () => ({ command: [process.execPath], env: {} }),
  },
];

for (const { language, isHere } of APPS)
  if (!isHere) process.stderr.write(`rowlock: no job is inserted by ${language}; that takes Debian and its runtime\n`);

/** What a statement, a format, a shell and JSON give a meaning to. */
const NOTE = ` Grüße 😀 "it's" C:\\new\\table \n%s %d ? :x $HOME \`id\` \${x} '); DROP TABLE payments; -- \n`;

const NO_SUCH_ORDER = '404';

let db: TestDatabase;
let home: string;

beforeAll(async () => {
  process.env['ROWLOCK_TEST_DATABASE_URL'] = await startOwnServer([], MACHINE);
  db = await createDatabase();
  await db.pool.query('CREATE TABLE orders (id INT PRIMARY KEY) ENGINE = InnoDB');
  await db.pool.query(
    `CREATE TABLE payments (order_id INT NOT NULL, note TEXT NOT NULL, FOREIGN KEY (order_id) REFERENCES orders (id))
     ENGINE = InnoDB`,
  );
  await db.pool.query('INSERT INTO orders VALUES ?', [APPS.map((_, index) => [index + 1])]);
  await db.users.allow('producer', 'INSERT', 'payments');
  home = mkdtempSync(join(tmpdir(), 'rowlock-any-app-'));
  const { host, port, user, password } = readProducer();
  writeFileSync(
    join(home, '.my.cnf'),
    `[client]\nprotocol=tcp\nhost=${host}\nport=${port}\nuser=${user}\npassword=${password}\n`,
    { mode: 0o600 },
  );
}, 60_000);

afterAll(() => rmSync(home, { recursive: true, force: true }));

function readProducer() {
  const { hostname: host, port, username: user, password } = new URL(db.urls.producer);
  return { host, port, user, password };
}

const read = async (sql: string, values: unknown[] = []): Promise<RowDataPacket[]> =>
  (await db.pool.query<RowDataPacket[]>(sql, values))[0];

/** Runs the example as the page says, and as the producer. */
function pay(runtime: Runtime, file: string, order: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const { host, port, user, password } = readProducer();
  const [program, ...args] = runtime.command;
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    TZ: 'Asia/Tokyo', // an app's own clock is not that of its session
    LC_ALL: 'C.UTF-8',
    DB_HOST: host,
    DB_PORT: port,
    DB_NAME: db.name,
    DB_USER: user,
    DB_PASSWORD: password,
    DB_URL: `jdbc:mariadb://${host}:${port}/${db.name}?allowPublicKeyRetrieval=true`,
    ...runtime.env,
  };
  return new Promise((resolve) => {
    execFile(program, [...args, join(FOLDER, file), order, NOTE], { env, cwd: home }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** 8 o'clock of the day after, in seconds since 1970. */
function eightTomorrow(now: Date): number {
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1, 8) / 1_000;
}

const countPayments = async (order: string): Promise<unknown> =>
  (await read('SELECT COUNT(*) AS payments FROM payments WHERE order_id = ?', [order]))[0]?.['payments'];

describe.each(APPS.map((app, index) => ({ ...app, order: String(index + 1) })))('$language', (app) => {
  const { file, zone, order } = app;
  const testHere = app.isHere ? test : test.skip;

  testHere(
    'inserts a job inside its transaction; a taken key and a rollback leave none',
    async () => {
      const runtime = app.find();
      await db.pool.query('SET GLOBAL time_zone = ?', [zone]);
      await db.pool.query('FLUSH PRIVILEGES'); // nobody has logged in before: MySQL wants the whole password from a client
      const earliest = eightTomorrow(new Date());
      expect(await pay(runtime, file, order)).toEqual({ code: 0, stdout: '', stderr: '' });

      const key = `order ${order}`;
      const find = `SELECT job_type, payload, status, CAST(UNIX_TIMESTAMP(run_at) AS DOUBLE) AS runAt FROM background_jobs
                  WHERE unique_key = ?`;
      const [job, ...more] = await read(find, [key]);
      expect(more).toEqual([]);
      expect(job).toMatchObject({ job_type: 'invoice.send', status: 'pending' });
      expect(JSON.parse(job?.['payload'])).toEqual({ order: Number(order), note: NOTE });
      expect([earliest, eightTomorrow(new Date())]).toContain(job?.['runAt']);
      expect(await read('SELECT note FROM payments WHERE order_id = ?', [order])).toEqual([{ note: NOTE }]);

      // The second time: the key is taken. The client knows no way to go on but to pass over every other error as well.
      const again = await pay(runtime, file, order);
      expect(again).toEqual({ code: 0, stdout: `order ${order} has its invoice already\n`, stderr: '' });
      expect(await countPayments(order)).toBe(file.endsWith('.sh') ? 1 : 2);

      // The statement after the job's is refused: neither stays.
      const failed = await pay(runtime, file, NO_SUCH_ORDER);
      expect(failed).toMatchObject({
        code: expect.any(Number),
        stdout: '',
        stderr: expect.stringMatching(/foreign key/),
      });
      expect(failed.code).toBeGreaterThan(0);
      expect(await read(find, [`order ${NO_SUCH_ORDER}`])).toEqual([]);
    },
    60_000,
  );
});

test('the user of the apps may insert, and cannot read what it inserted', async () => {
  const denied = { code: 'ER_TABLEACCESS_DENIED_ERROR' };
  await expect(db.producer.query('SELECT id FROM background_jobs')).rejects.toMatchObject(denied);
});

test('one run completes all of their jobs', async () => {
  const here = APPS.flatMap(({ isHere }, index) => (isHere ? [{ order: index + 1, note: NOTE }] : []));
  await db.pool.query('UPDATE background_jobs SET run_at = NOW(3) - INTERVAL 1 SECOND');
  writeFileSync(join(home, 'jobs.cjs'), `module.exports = [{ type: 'invoice.send', run: (payload) => payload }];`);
  const { code, stderr } = await rowlock(['run', '--jobs', join(home, 'jobs.cjs')], {
    env: { DATABASE_URL: db.urls.worker },
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const jobs = await read('SELECT status, attempts, result FROM background_jobs ORDER BY unique_key');
  expect(jobs.map(({ result, ...job }) => ({ ...job, result: JSON.parse(result) }))).toEqual(
    here.map((result) => ({ status: 'completed', attempts: 1, result })),
  );
});

test('the page shows each file, letter by letter', () => {
  const shown = [...PAGE.matchAll(/^```\w+\n([\s\S]*?)^```$/gm)].map(([, text]) => text);
  for (const file of readdirSync(FOLDER)) expect(shown).toContain(readFileSync(join(FOLDER, file), 'utf8'));
});
