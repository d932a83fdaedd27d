import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createPool } from 'mysql2/promise';
import { createQueue } from '../../../dist/index.js';
import { PROJECT } from '../../../scripts/project.mjs';
import { COMMANDS_TERMINAL, Commands, findFault } from '../stage/command.mjs';
import { HOSTILE_WORDS, SHELL_MARK, SQL_MARK } from '../stage/hostile-words.mjs';
import { findSecretIn, listProcesses } from '../stage/open-secrets.mjs';
import { readPrints } from '../stage/read.mjs';

const HOSTILE_JOBS = join(PROJECT, 'tests', 'faults', 'hostile-jobs.cjs');

/** Types that no worker knows end by being cancelled. */
const UNKNOWN = '\u001b[31mnobody knows\nrowlock: all is well';

/** What puts the word of its payload into its error, result, checkpoint and log. */
const WORD_TYPES = ['word.thrown', 'word.kept', 'word.logged'];

/** Rows of one insert. */
const BATCH = 12;

/** A line of Prometheus' text format. */
const METRIC = /^(# (HELP|TYPE) rowlock_.*|rowlock_\w+(\{(\w+="([^"\\\n]|\\[\\"n])*",?)*\})? -?[\d.e+-]+)$/;

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'hostile-words',
  title:
    'SQL, shell, log lines, escape sequences and labels in every text, of rows, arguments and functions; workers are killed meanwhile',
  async run(stage) {
    const random = stage.random.fork('words');
    const types = HOSTILE_WORDS.filter((_, index) => index % 3 === 0);
    Object.assign(stage.expect.kinds, {
      ...Object.fromEntries(types.map((type) => [type, { ends: 'completed', effects: [] }])),
      'email.send': { ends: 'failed', effects: [] },
      'word.thrown': { ends: 'failed', effects: [] },
      'word.kept': { ends: 'completed', effects: [], returnsToken: true },
      'word.logged': { ends: 'completed', effects: [] },
    });
    // Its retries are those of its type, half a minute apart.
    stage.expect.late.add('email.send');
    const pings = await listenForPings(stage);
    const secrets = { token: `ping-${random.int(1e8, 9e8)}`, mail: `mail-${random.int(1e8, 9e8)}` };
    stage.secrets.push(secrets.token, secrets.mail);
    await stage.database.execute(`CREATE TABLE ${SQL_MARK} (id INT PRIMARY KEY); INSERT INTO ${SQL_MARK} VALUES (1)`);
    const before = await stage.database.execute(INVENTORY);

    const metrics = join(stage.folder, 'runs', 'rowlock.prom');
    const env = {
      FAULTS_TYPES: JSON.stringify(types),
      ROWLOCK_PING_URL: `${pings.url}/${secrets.token}`,
      ROWLOCK_METRICS_FILE: metrics,
      // Nobody listens there: each mail fails, and its error must not name who wanted to send it.
      SMTP_URL: `smtp://mailer:${secrets.mail}@127.0.0.1:1`,
      MAIL_FROM: 'shop@example.com',
    };
    const fleet = stage.startFleet({
      jobs: HOSTILE_JOBS,
      env,
      each: (number) => ({ env: { LOG_LEVEL: number % 3 === 0 ? 'debug' : 'info' } }),
    });
    stage.startProducers({
      mix: { noop: 4, result: 2, 'effect.complete': 2, 'effect.save': 1, retry: 1, ...toMix(types) },
      jobsPerSecond: 80,
      payloadOf: (_, choice) => ({ [pick(choice)]: pick(choice) }),
    });
    const writer = await Writer.open(stage, types, random.fork('writer'));
    const asker = new Asker(stage, random.fork('asker'), env);
    while (stage.hasTime) {
      await writer.insert();
      await asker.ask();
      if (random.chance(0.25)) await killOne(stage, fleet, random);
      for (const { pid, text } of listProcesses(
        fleet.live.flatMap(({ number, pid }) => [pid, ...fleet.childrenOf(number)]),
      )) {
        const found = findSecretIn(text, [stage.database.secret, stage.server.secret, ...stage.secrets]);
        if (found)
          stage.findings.push({
            check: 'nothing leaks',
            id: `process ${pid}`,
            text: 'its command line shows a secret',
          });
      }
      await pause(random.int(0, 50));
    }
    await asker.cancelAll(UNKNOWN);
    await stage.comeToRest();
    await writer.compare();
    compare(stage, before, await stage.database.execute(INVENTORY));
    for (const folder of [join(stage.folder, 'cwd'), join(stage.server.folder, 'data'), PROJECT]) {
      if (existsSync(join(folder, SHELL_MARK))) fail(stage, folder, 'a file is there that only a shell can have made');
    }
    const wrong = readFileSync(metrics, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !METRIC.test(line));
    for (const line of wrong)
      fail(stage, 'metrics file', `no line of Prometheus: ${JSON.stringify(line.slice(0, 200))}`);
    if (pings.count === 0) fail(stage, 'pings', 'none has come');
    for (const { name, text } of readPrints(join(stage.folder, 'runs'))) lookThrough(stage, name, text);
  },
};

/** What SQL in a word would have changed. */
const INVENTORY = `SELECT (SELECT COUNT(*) FROM ${SQL_MARK}) AS customers, (SELECT COUNT(*) FROM mysql.user) AS users,
  (SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()) AS tables,
  (SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()) AS routines, @@GLOBAL.read_only AS readOnly`;

/**
 * The log of a run is JSON, an event a line, and what is sent to monitoring is text: neither commands who reads it.
 *
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {string} name
 * @param {string} text
 */
function lookThrough(stage, name, text) {
  const isLog = /^\d+\.log$/.test(name);
  if (!isLog && name !== 'pings') return;
  const lines = text.split('\n').filter((line) => line !== '');
  const strange = lines.find((line) => COMMANDS_TERMINAL.test(line) || (isLog && !isEvent(line)));
  if (strange !== undefined) fail(stage, name, `no line of Rowlock's: ${JSON.stringify(strange.slice(0, 200))}`);
}

/** @param {string} line */
function isEvent(line) {
  try {
    return typeof JSON.parse(line).event === 'string';
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** @param {import('../seeded.mjs').Seeded} random */
const pick = (random) => random.pick(HOSTILE_WORDS) ?? '';

/** @param {readonly string[]} types */
const toMix = (types) => Object.fromEntries(types.map((type) => [type, 0.1]));

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {string | number} id
 * @param {string} text
 */
const fail = (stage, id, text) => void stage.findings.push({ check: 'words stay words', id, text });

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {unknown} before
 * @param {unknown} after
 */
function compare(stage, before, after) {
  const [was, is] = [JSON.stringify(before), JSON.stringify(after)];
  if (was !== is) fail(stage, 'server', `it was ${was}, and is ${is}`);
}

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {import('../stage/fleet.mjs').Fleet} fleet
 * @param {import('../seeded.mjs').Seeded} random
 */
async function killOne(stage, fleet, random) {
  const victim = random.pick(fleet.live);
  if (victim === undefined || !fleet.signal(victim.number, 'SIGKILL')) return;
  await fleet.ended(victim.number);
  const runId = fleet.runIdOf(victim.number);
  stage.faults.note('SIGKILL of a worker', runId === undefined ? [] : await stage.readHeld(runId));
}

/**
 * Who watches over cron. What it is sent is looked through as a log is.
 *
 * @param {import('../stage/stage.mjs').Stage} stage
 */
async function listenForPings(stage) {
  const { appendFileSync, mkdirSync } = await import('node:fs');
  mkdirSync(join(stage.folder, 'runs'), { recursive: true });
  let count = 0;
  const server = createServer((request, response) => {
    count++;
    request.on('data', (bytes) => appendFileSync(join(stage.folder, 'runs', 'pings'), bytes));
    request.on('end', () => response.end());
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  stage.atEnd(() => server.close());
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    get count() {
      return count;
    },
  };
}

/** An app that writes hostile words into each column that it may write, by SQL, by the library and by the command line. */
class Writer {
  #stage;
  #types;
  #random;
  #pool;
  #queue;
  /** @type {Map<number, { type: string, queue: string, key: string | null, word: string }>} by token */
  #written = new Map();

  /**
   * @param {import('../stage/stage.mjs').Stage} stage
   * @param {readonly string[]} types
   * @param {import('../seeded.mjs').Seeded} random
   */
  constructor(stage, types, random) {
    this.#stage = stage;
    this.#types = types;
    this.#random = random;
    this.#pool = createPool({ uri: stage.database.url('producer'), connectionLimit: 2 });
    this.#queue = createQueue(this.#pool);
  }

  /**
   * @param {import('../stage/stage.mjs').Stage} stage
   * @param {readonly string[]} types
   * @param {import('../seeded.mjs').Seeded} random
   */
  static async open(stage, types, random) {
    const writer = new Writer(stage, types, random);
    stage.atEnd(() => writer.#pool.end());
    return writer;
  }

  async insert() {
    const random = this.#random;
    const rows = Array.from({ length: BATCH }, () => this.#make());
    if (random.chance(0.5)) {
      await this.#pool.query(
        'INSERT INTO background_jobs (job_type, payload, queue, unique_key, max_attempts) VALUES ?',
        [
          rows.map(({ type, payload, queue, key }) => [
            type,
            JSON.stringify(payload),
            queue,
            key,
            type === 'email.send' ? 2 : null,
          ]),
        ],
      );
    } else {
      await this.#queue.enqueueMany(
        rows.map(({ type, payload, queue, key }) => ({
          type,
          payload,
          queue,
          ...(key === null ? {} : { uniqueKey: key }),
          ...(type === 'email.send' ? { maxAttempts: 2 } : {}),
        })),
      );
    }
    // The schema of a mail takes no token.
    const known = rows.filter(({ type }) => type !== 'email.send');
    for (const { token, type, queue, key, word } of known) this.#written.set(token, { type, queue, key, word });
    this.#stage.ledger.note(known.map(({ token, type }) => ({ token, type, fate: 'committed' })));
    this.#stage.faults.note('hostile rows');
  }

  #make() {
    const random = this.#random;
    const token = this.#stage.ledger.newToken();
    const others = [...this.#types, 'program', 'noop', 'fail', 'retry', UNKNOWN];
    const type = random.pick(random.chance(0.4) ? WORD_TYPES : others) ?? '';
    const word = pick(random);
    const isMail = random.chance(0.02);
    const mail = { to: 'ann@example.com', subject: word, text: `${this.#stage.canary}-${token}` };
    return {
      token,
      type: isMail ? 'email.send' : type,
      queue: random.chance(0.3) ? 'default' : pick(random),
      key: random.chance(0.5) ? `${[...pick(random)].slice(0, 240).join('')}-${token}` : null,
      word,
      payload: isMail ? mail : { token, canary: `${this.#stage.canary}-${token}`, word, [word]: [word] },
    };
  }

  /** Each row has what was written into it, and a program got its payload as it was. */
  async compare() {
    /** @type {{ id: number, token: string | null, type: string, queue: string, uniqueKey: string | null, payload: string, result: string | null, checkpoint: string | null, lastError: string | null }[]} */
    const rows = await this.#stage.database.execute(
      `SELECT id, JSON_UNQUOTE(JSON_EXTRACT(payload, '$.token')) AS token, job_type AS type, queue, unique_key AS uniqueKey,
              payload, result, checkpoint, last_error AS lastError FROM background_jobs`,
    );
    for (const { id, token, type, queue, uniqueKey, payload, result, checkpoint, lastError } of rows) {
      const written = this.#written.get(Number(token));
      if (written === undefined) continue;
      const isSame = written.type === type && written.queue === queue && written.key === uniqueKey;
      if (!isSame)
        fail(this.#stage, id, `written ${JSON.stringify(written)}, read ${JSON.stringify({ type, queue, uniqueKey })}`);
      const { word } = JSON.parse(payload);
      if (word !== written.word) fail(this.#stage, id, 'its payload is another');
      if (type === 'word.kept')
        for (const kept of [result, checkpoint])
          if (kept === null || JSON.parse(kept).word !== word) fail(this.#stage, id, 'what it kept is another');
      // What commands a terminal is another character in it.
      if (type === 'word.thrown' && !COMMANDS_TERMINAL.test(word) && lastError?.includes(word) !== true)
        fail(this.#stage, id, `it threw ${JSON.stringify(word)}, and its error is ${JSON.stringify(lastError)}`);
      if (type !== 'program') continue;
      if (result === null || JSON.stringify(JSON.parse(result)) !== JSON.stringify(JSON.parse(payload)))
        fail(this.#stage, id, 'the program did not get its payload as it was');
    }
  }
}

/** Somebody who types hostile words behind each command and option. */
class Asker {
  #stage;
  #random;
  #commands;
  #env;

  /**
   * @param {import('../stage/stage.mjs').Stage} stage
   * @param {import('../seeded.mjs').Seeded} random
   * @param {NodeJS.ProcessEnv} env
   */
  constructor(stage, random, env) {
    this.#stage = stage;
    this.#random = random;
    this.#commands = new Commands(stage.folder);
    this.#env = env;
  }

  /** Runs a command, and looks at what it printed. */
  async ask() {
    const {
      args,
      role = 'worker',
      codes,
      isSecret = false,
    } = this.#random.pick(QUESTIONS)?.(() => this.#word(), this.#random) ?? {
      args: ['status'],
      codes: [0],
    };
    await this.#run(args, role, codes, isSecret);
    this.#stage.faults.note('hostile arguments');
  }

  /**
   * @param {string[]} args
   * @param {import('../stage/database.mjs').Role} role
   * @param {readonly number[]} codes
   * @param {boolean} isSecret
   */
  async #run(args, role, codes, isSecret) {
    const { ROWLOCK_PING_URL: _, ...settings } = this.#env;
    const jobs = { ...settings, ROWLOCK_JOBS: HOSTILE_JOBS, DATABASE_URL: this.#stage.database.url(role) };
    const level = this.#random.pick([undefined, 'info', 'debug']);
    const env = level === undefined || !args.includes('--json') ? jobs : { ...jobs, LOG_LEVEL: level };
    const ended = await this.#commands.run(args, env, { isSecret });
    const fault = findFault(ended, codes);
    if (fault !== undefined) fail(this.#stage, JSON.stringify(args), fault);
    return ended;
  }

  /** An argument of a program holds no NUL. */
  #word() {
    return pick(this.#random).replaceAll('\0', '\u0001');
  }

  /** @param {string} type */
  async cancelAll(type) {
    /** @type {{ id: number, token: string }[]} */
    const rows = await this.#stage.database.execute(
      `SELECT id, JSON_VALUE(payload, '$.token') AS token FROM background_jobs WHERE job_type = ?`,
      [type],
    );
    for (const { token } of rows) this.#stage.expect.touchedTokens.add(Number(token));
    if (rows.length === 0) return;
    await this.#run(['cancel', ...rows.map(({ id }) => String(id))], 'worker', [0, 1], false);
  }
}

/**
 * What is asked, as whom, and the exit codes that may come of it. Whatever refuses the word says so with 64.
 * @typedef {{ args: string[], role?: import('../stage/database.mjs').Role, codes: readonly number[], isSecret?: boolean }} Question
 */

/** @type {readonly ((word: () => string, random: import('../seeded.mjs').Seeded) => Question)[]} */
const QUESTIONS = [
  (word) => ({ args: ['list', `--queue=${word()}`, `--type=${word()}`], role: 'viewer', codes: [0] }),
  (word) => ({ args: ['list', '--json', `--queue=${word()}`], role: 'viewer', codes: [0] }),
  () => ({ args: ['list', '--limit=200'], role: 'viewer', codes: [0] }),
  () => ({ args: ['list', '--json', '--limit=200'], role: 'viewer', codes: [0] }),
  (word) => ({ args: ['list', `--limit=${word()}`], codes: [64] }),
  (word) => ({ args: ['list', `--status=${word()}`], codes: [64] }),
  () => ({ args: ['status'], role: 'viewer', codes: [0] }),
  () => ({ args: ['status', '--json'], role: 'viewer', codes: [0] }),
  (word) => ({ args: ['status', `--queue=${word()}`], role: 'viewer', codes: [0] }),
  (_, random) => ({ args: ['show', String(random.int(1, 2_000))], role: 'viewer', codes: [0, 1], isSecret: true }),
  (_, random) => ({
    args: ['show', '--json', String(random.int(1, 2_000))],
    role: 'viewer',
    codes: [0, 1],
    isSecret: true,
  }),
  (word) => ({ args: ['show', '--', word()], codes: [64] }),
  (word) => ({ args: ['retry', '--', word()], codes: [64] }),
  (word) => ({ args: ['retry', '--failed', '--json', `--type=no such ${word()}`], codes: [0, 64] }),
  (word) => ({ args: ['cancel', '--', word()], codes: [64] }),
  (word) => ({ args: ['pause', '--', `none ${word()}`], codes: [0, 64] }),
  (word) => ({ args: ['prune', `--older-than=${word()}`], codes: [64] }),
  (word) => ({ args: ['run', '--dry-run', `--queue=${word()}`, `--type=${word()}`], codes: [0, 64] }),
  (word) => ({ args: ['run', `--queue=none ${word()}`, `--type=${word()}`], codes: [0, 64] }),
  (word) => ({ args: ['run', `--id=${word()}`], codes: [64] }),
  (word) => ({ args: ['run', `--concurrency=${word()}`, `--lease=${word()}`], codes: [64] }),
  (word) => ({ args: ['enqueue', '--', word(), `{${word()}`], role: 'producer', codes: [64] }),
  (word) => ({ args: ['enqueue', '--', 'noop', `@${word()}`], role: 'producer', codes: [64] }),
  (word) => ({ args: [word()], codes: [64] }),
  (word) => ({ args: ['status', `--env-file=${word()}`], codes: [78] }),
  (word) => ({ args: ['schedule', `--cron=${word()}`], codes: [64] }),
  () => ({ args: ['metrics'], role: 'viewer', codes: [0] }),
  () => ({ args: ['types'], codes: [0] }),
  () => ({ args: ['types', '--json'], codes: [0] }),
  () => ({ args: ['doctor'], codes: [0, 1] }),
  () => ({ args: ['doctor', '--json'], codes: [0, 1] }),
  () => ({ args: ['migrate', '--status'], role: 'migrator', codes: [0] }),
];
