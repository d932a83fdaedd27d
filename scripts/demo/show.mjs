// The demo itself: a shop's tables, six jobs, one run, and what came of it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROJECT } from '../project.mjs';
import { run } from '../run.mjs';
import { sendSql } from './client.mjs';
import { startMailSink } from './mail-sink.mjs';

const CLI = join(PROJECT, 'dist', 'cli.js');
const HERE = join(PROJECT, 'scripts', 'demo');
// Not the project's folder, which may have a .env of the developer's own.
process.chdir(HERE);

const server = new URL(process.env['ROWLOCK_TEST_DATABASE_URL'] ?? '');
const name = `${server.pathname.slice(1)}_demo_${process.pid}`;
const database = new URL(server);
database.pathname = `/${name}`;
const reports = mkdtempSync(join(tmpdir(), 'rowlock-demo-'));
const sink = await startMailSink();
const env = {
  PATH: process.env['PATH'],
  DATABASE_URL: database.href,
  SMTP_URL: sink.url,
  MAIL_FROM: 'Shop <shop@example.com>',
  REPORT_DIR: reports,
  REPORT_SQL_DIR: join(HERE, 'reports'),
  ROWLOCK_JOBS: join(HERE, 'jobs.json'),
  ROWLOCK_KEEP_ALIVE: '4s',
};

try {
  await sendSql(server, `CREATE DATABASE ${name} CHARACTER SET utf8mb4;`);
  heading('A shop, and the tables of Rowlock beside its own');
  await sendSql(database, readDemo('shop.sql'));
  await rowlock('migrate');

  heading('Any app, in any language, inserts rows');
  const sql = readDemo('jobs.sql');
  const client = await sendSql(database, sql);
  print(`${dim(`${client}>`)} ${sql.trimEnd()}`);

  heading('Cron starts a run (this one stays four seconds, to show a retry)');
  await rowlock('run');

  heading('What became of the jobs');
  await rowlock('list');

  heading('The mails that a mail server on this machine received');
  for (const { to, subject, text } of sink.mails) print(`To: ${sayTo(to)}  Subject: ${subject}  ${text?.trim()}`);

  heading('The report: sales.csv');
  print(readFileSync(join(reports, 'sales.csv'), 'utf8').trimEnd());
  print('');
} finally {
  await sendSql(server, `DROP DATABASE IF EXISTS ${name};`);
  await sink.stop();
  rmSync(reports, { recursive: true, force: true });
}

/** @param {string[]} args */
async function rowlock(...args) {
  print(dim(`$ rowlock ${args.join(' ')}`));
  const code = await run([process.execPath, CLI, ...args], { env });
  if (code !== 0) throw new Error(`rowlock ${args.join(' ')} ended with ${code}`);
}

/** @param {string} file */
function readDemo(file) {
  return readFileSync(join(HERE, file), 'utf8');
}

/** @param {import('mailparser').ParsedMail['to']} to */
function sayTo(to) {
  return [to ?? []]
    .flat()
    .map(({ text }) => text)
    .join(', ');
}

/** @param {string} text */
function heading(text) {
  print(`\n${style(1, text)}`);
}

/** @param {string} text */
function dim(text) {
  return style(2, text);
}

/**
 * @param {number} code
 * @param {string} text
 */
function style(code, text) {
  return process.stdout.isTTY ? `\x1b[${code}m${text}\x1b[0m` : text;
}

/** @param {string} text */
function print(text) {
  process.stdout.write(`${text}\n`);
}
