// npm run prove -- csv
//
// A CSV file of a million lines. First it is imported unharmed, beside LOAD DATA LOCAL INFILE of the same file into a
// table of the same kind, in turns; then by runs that are killed with SIGKILL twenty times on the way. A server that
// does not take LOCAL INFILE (MySQL's default) is left out of the comparison: the last line says so. What else could not
// be measured is not proved: this needs Linux, with /proc and its lists of children.
import { once } from 'node:events';
import { createReadStream, createWriteStream, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ProofStage } from '../proof-stage.mjs';

const LINES = Number(process.env['ROWLOCK_PROVE_LINES'] ?? 1_000_000);
const KILLS = 20;
const ROUNDS = 3;
/** Of what LOAD DATA makes. */
const LEAST_SPEED = 0.5;
const MOST_MEMORY_MB = 150;
/** Past this something is stuck. */
const DEADLINE_MS = 30 * 60_000;
/** Shorter than in production, as a killed run's job waits for its end. */
const LEASE = '2s';
const LEASE_LOST = 75;

const COLUMNS = `id INT PRIMARY KEY, email VARCHAR(255) NOT NULL, name VARCHAR(255) NOT NULL, city VARCHAR(100),
  amount DECIMAL(10, 2) NOT NULL, born DATE, note TEXT`;

const stage = new ProofStage('csv', { CSV_IMPORT_TABLES: 'customers' });
const file = join(stage.folder, 'customers.csv');
const end = Date.now() + DEADLINE_MS;
/** @typedef {'enough' | 'too slow' | 'not all lines' | 'not compared'} Speed */

/** The most that a process had, in MB; 0: none was measured. */
const memory = { ofRuns: 0, ofSuspects: 0 };

try {
  await stage.open();
  await writeFile();
  print(`server: ${await stage.readVersion()}; file: ${LINES} lines, ${(statSync(file).size / 1e6).toFixed(1)} MB`);
  const speed = await compare();
  const isExact = await killAgainAndAgain();
  const isSmall = reportMemory();
  process.exitCode = conclude(speed, isExact && isSmall) ? 0 : 1;
} finally {
  await stage.close();
}

async function writeFile() {
  const out = createWriteStream(file);
  out.write('id,email,name,city,amount,born,note\n');
  for (let id = 1; id <= LINES; id++) {
    const note = id % 5 === 0 ? '"said ""hello"", and left"' : '';
    const day = `${1950 + (id % 50)}-0${1 + (id % 9)}-1${id % 10}`;
    const line = `${id},customer${id}@example.com,"Müller, ${id}",Town ${id % 977},${(id % 100_000) / 100},${day},${note}\n`;
    if (!out.write(line)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}

/** Both are there where the job was killed on its way: what goes on after a kill is a suspect, in a process of its own. */
function reportMemory() {
  return Object.entries(memory)
    .map(([whose, most]) => {
      const isMeasured = most > 0;
      print(
        `memory ${whose === 'ofRuns' ? 'of a run' : "of a suspect's process"}: ${isMeasured ? `at most ${most.toFixed(0)} MB (less than ${MOST_MEMORY_MB})` : 'NOT MEASURED'}`,
      );
      return isMeasured && most < MOST_MEMORY_MB;
    })
    .every(Boolean);
}

/**
 * @param {Speed} speed
 * @param {boolean} isRest all else is as it was promised
 */
function conclude(speed, isRest) {
  const isProved = isRest && (speed === 'enough' || speed === 'not compared');
  const left =
    speed === 'not compared' ? ', but for the speed, which was not compared (SET GLOBAL local_infile = 1)' : '';
  print(isProved ? `proved${left}` : 'NOT PROVED');
  return isProved;
}

/**
 * In turns, so that what the machine does besides meets both.
 *
 * @returns {Promise<Speed>}
 */
async function compare() {
  /** @type {number[]} */
  const speeds = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const loaded = await load();
    await createTable('customers');
    await enqueue();
    const began = performance.now();
    await watch(stage.rowlock('run'));
    const seconds = (performance.now() - began) / 1_000;
    const isWhole = await checkTable();
    print(
      `round ${round}: csv.import ${seconds.toFixed(1)} s, from the start of the run to its end${isWhole ? '' : '; NOT ALL LINES'}`,
    );
    if (!isWhole) return 'not all lines';
    if (loaded === undefined) continue;
    speeds.push(loaded / seconds);
    print(
      `round ${round}: LOAD DATA LOCAL INFILE ${loaded.toFixed(1)} s; csv.import has ${percent(loaded / seconds)} of its speed`,
    );
  }
  const median = speeds.sort((one, other) => one - other)[speeds.length >> 1];
  if (median === undefined) return 'not compared';
  print(`speed, median: ${percent(median)} of LOAD DATA's (at least ${percent(LEAST_SPEED)})`);
  return median >= LEAST_SPEED ? 'enough' : 'too slow';
}

/** @returns {Promise<number | undefined>} seconds; undefined: the server does not take it */
async function load() {
  const [{ taken = 0 } = {}] = await stage.query('SELECT @@GLOBAL.local_infile AS taken');
  if (Number(taken) !== 1) {
    print('LOAD DATA LOCAL INFILE: not taken by this server (local_infile is off)');
    return undefined;
  }
  await createTable('loaded');
  const began = performance.now();
  await stage.query({
    sql: `LOAD DATA LOCAL INFILE 'customers.csv' INTO TABLE loaded CHARACTER SET utf8mb4
      FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"' ESCAPED BY '' IGNORE 1 LINES`,
    infileStreamFactory: () => createReadStream(file),
  });
  return (performance.now() - began) / 1_000;
}

/** As cron would, but one run after the other: each until it ends, or until it has come far enough to be killed. */
async function killAgainAndAgain() {
  await createTable('customers');
  await enqueue();
  let kills = 0;
  while ((await readJob())?.['status'] !== 'completed') {
    if (Date.now() > end) throw new Error(`not within ${DEADLINE_MS / 1_000} s: the file is imported`);
    const run = stage.rowlock('run', '--lease', LEASE);
    const watched = watch(run);
    // A part of the file for each, and at any moment of a batch: not just behind a commit.
    const at = ((kills + 1) / (KILLS + 1)) * LINES;
    while (!run.isOver() && kills < KILLS) {
      if ((await rowsDone()) >= at) {
        await pause(Math.random() * 100);
        if (run.child.kill('SIGKILL')) kills++;
        break;
      }
      await pause(10);
    }
    const code = await watched;
    if (code !== 0 && code !== null && code !== LEASE_LOST) throw new Error(`a run has ended with ${code}`);
    const job = await readJob();
    if (job?.['status'] === 'failed') throw new Error(`the job has failed: ${job['last_error']}`);
    await pause(100);
  }
  print(`killed with SIGKILL: ${kills} times`);
  const isWhole = await checkTable();
  print(`lines in the table: ${isWhole ? `exactly the ${LINES}` : 'NOT those of the file'}`);
  return isWhole && kills === KILLS;
}

/** Each line is there once and as it was: the key says that none is there twice. */
async function checkTable() {
  const [job] = await stage.query('SELECT status, result, last_error FROM background_jobs ORDER BY id DESC LIMIT 1');
  const [rows] = await stage.query(`SELECT COUNT(*) AS n, COUNT(DISTINCT id) AS ids, MIN(id) AS first, MAX(id) AS last,
    SUM(email = CONCAT('customer', id, '@example.com') AND name = CONCAT('Müller, ', id) AND amount = MOD(id, 100000) / 100) AS good,
    SUM(note IS NULL) AS nulls FROM customers`);
  const counts = ['n', 'ids', 'first', 'last', 'good', 'nulls'].map((key) => Number(rows?.[key]));
  const wanted = [LINES, LINES, 1, LINES, LINES, LINES - Math.floor(LINES / 5)];
  const isWhole = job?.['status'] === 'completed' && JSON.stringify(counts) === JSON.stringify(wanted);
  if (!isWhole) print(`found: ${JSON.stringify({ counts, wanted, job })}`);
  return isWhole;
}

/** @param {string} table */
async function createTable(table) {
  await stage.query(`DROP TABLE IF EXISTS ${table}`);
  await stage.query(`CREATE TABLE ${table} (${COLUMNS})`);
}

async function enqueue() {
  const payload = JSON.stringify({ file: 'customers.csv', table: 'customers' });
  await stage.query(`INSERT INTO background_jobs (job_type, payload) VALUES ('csv.import', '${payload}')`);
}

async function readJob() {
  const [job] = await stage.query(
    'SELECT status, checkpoint, last_error FROM background_jobs ORDER BY id DESC LIMIT 1',
  );
  return job;
}

async function rowsDone() {
  const [job] = await stage.query(
    "SELECT JSON_EXTRACT(checkpoint, '$.rows') AS n FROM background_jobs ORDER BY id DESC LIMIT 1",
  );
  return Number(job?.['n'] ?? 0);
}

/**
 * Waits for the end of a run, and looks at its memory meanwhile: its own, and that of the process in which it runs a
 * suspect alone.
 *
 * @param {ReturnType<ProofStage['rowlock']>} run
 */
async function watch(run) {
  while (!run.isOver()) {
    const own = run.child.pid ?? 0;
    memory.ofRuns = Math.max(memory.ofRuns, readPeak(own));
    memory.ofSuspects = Math.max(memory.ofSuspects, ...childrenOf(own).map(readPeak));
    await pause(50);
  }
  return run.ended;
}

/** @param {number} pid */
function childrenOf(pid) {
  const text = readIfThere(`/proc/${pid}/task/${pid}/children`);
  return text.split(' ').filter(Boolean).map(Number);
}

/** @param {number} pid */
function readPeak(pid) {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readIfThere(`/proc/${pid}/status`))?.[1] ?? 0) / 1_024;
}

/** @param {string} path */
function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it has ended, or this is no Linux
  }
}

/** @param {number} fraction */
function percent(fraction) {
  return `${(fraction * 100).toFixed(0)} %`;
}

/** @param {string} line */
function print(line) {
  process.stdout.write(`${line}\n`);
}
