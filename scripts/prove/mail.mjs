// npm run prove -- mail
//
// A broadcast to 10,000 recipients, in runs that are killed with SIGKILL ten times: four times while its mails are being
// enqueued, six times while they are being sent. A mail server of this script receives them, and its account is compared
// with the list of recipients.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startMailSink } from '../demo/mail-sink.mjs';
import { ProofStage } from '../proof-stage.mjs';

const RECIPIENTS = 10_000;
/** Mails in the table, or at the mail server, at which the next run is killed. */
const KILLS = [
  ...[1, 3_000, 6_000, 9_000].map((at) => ({ when: /** @type {const} */ ('enqueued'), at })),
  ...[500, 2_000, 3_500, 5_000, 6_500, 8_000].map((at) => ({ when: /** @type {const} */ ('sent'), at })),
];
/** Past this something is stuck: on an idle machine all of it takes about two minutes. */
const DEADLINE_MS = 30 * 60_000;
/** Shorter than in production, as a killed run's jobs wait for its end. */
const LEASE = '3s';
/** A run that was too slow for its lease, on a busy machine, is as good as one that was killed. */
const LEASE_LOST = 75;

const sink = await startMailSink();
const stage = new ProofStage('mail', { SMTP_URL: sink.url, MAIL_FROM: 'Shop <shop@example.com>' });
const end = Date.now() + DEADLINE_MS;

try {
  await stage.open();
  const addresses = writeRecipients();
  await stage.rowlock('enqueue', 'email.broadcast', JSON.stringify(readOrder())).ended;

  const began = Date.now();
  const kills = await runToTheEnd();
  const seconds = (Date.now() - began) / 1_000;
  process.exitCode = (await report(addresses, kills, seconds)) ? 0 : 1;
} finally {
  await stage.close();
  await sink.stop();
}

function writeRecipients() {
  const addresses = Array.from({ length: RECIPIENTS }, (_, index) => `customer${index}@example.org`);
  const lines = addresses.map((address, index) => `${address},"Customer ""${index}"", 😀",${index % 7}`);
  // Some are there twice, and one has no address.
  const again = addresses.filter((_, index) => index % 100 === 0).map((address) => `${address.toUpperCase()},Again,0`);
  writeFileSync(
    join(stage.folder, 'customers.csv'),
    ['email,name,points', ...lines, ...again, ',Nobody,0', ''].join('\n'),
  );
  return addresses;
}

function readOrder() {
  const template = {
    subject: '{{points}} points for {{name}}',
    text: 'Dear {{name}},\n\nyou have {{points}} points.\n',
    html: '<p>Dear <b>{{name}}</b>, you have {{points}} points.</p>',
  };
  return { template, recipients: 'customers.csv' };
}

/**
 * As cron would, but one run after the other: each until it ends, or until it is time to kill it.
 *
 * @returns how many were killed, by what they were doing
 */
async function runToTheEnd() {
  const kills = { enqueued: 0, sent: 0 };
  const due = [...KILLS];
  while ((await countUnfinished()) > 0) {
    if (Date.now() > end) throw new Error(`not within ${DEADLINE_MS / 1_000} s: all mails are sent`);
    const { child, ended, isOver } = stage.rowlock('run', '--lease', LEASE);
    while (!isOver()) {
      const [next] = due;
      if (next !== undefined && (await countOf(next.when)) >= next.at && child.kill('SIGKILL')) {
        due.shift();
        kills[next.when]++;
        break;
      }
      await pause(5);
    }
    const code = await ended;
    if (code !== 0 && code !== null && code !== LEASE_LOST) throw new Error(`a run has ended with ${code}`);
    // The jobs of a killed run are put back after its lease.
    await pause(100);
  }
  if (due.length > 0) throw new Error(`${due.length} kills are left, and the mails are sent`);
  return kills;
}

/** @param {'enqueued' | 'sent'} what */
async function countOf(what) {
  if (what === 'sent') return sink.mails.length;
  const [count] = await stage.query("SELECT COUNT(*) AS n FROM background_jobs WHERE job_type = 'email.send'");
  return Number(count?.['n']);
}

async function countUnfinished() {
  const [count] = await stage.query("SELECT COUNT(*) AS n FROM background_jobs WHERE status IN ('pending', 'running')");
  return Number(count?.['n']);
}

/**
 * @param {string[]} addresses
 * @param {{ enqueued: number, sent: number }} kills
 * @param {number} seconds
 */
async function report(addresses, kills, seconds) {
  /** @type {Map<string, string[]>} */
  const sent = new Map(addresses.map((address) => [address, []]));
  let strangers = 0;
  for (const { to, messageId = '' } of sink.mails) {
    const address = [to ?? []].flat()[0]?.value[0]?.address ?? '';
    const ids = sent.get(address);
    if (ids === undefined) strangers++;
    else ids.push(messageId);
  }
  const all = [...sent.values()];
  const none = all.filter((ids) => ids.length === 0).length;
  const once = all.filter((ids) => ids.length === 1).length;
  const again = all.filter((ids) => ids.length > 1 && new Set(ids).size === 1);
  const most = Math.max(0, ...again.map((ids) => ids.length));
  const twoMails = all.filter((ids) => new Set(ids).size > 1).length;
  const [broadcast] = await stage.query(
    "SELECT status, attempts, result, last_error FROM background_jobs WHERE job_type = 'email.broadcast'",
  );
  const [mails] = await stage.query(
    "SELECT COUNT(*) AS n, SUM(status = 'completed') AS completed FROM background_jobs WHERE job_type = 'email.send'",
  );
  const lines = [
    `server: ${await stage.readVersion()}; ${seconds.toFixed(1)} s`,
    `runs killed with SIGKILL: ${kills.enqueued + kills.sent} (${kills.enqueued} while mails were enqueued, ${kills.sent} while they were sent)`,
    `broadcast: ${broadcast?.['status']}, result ${JSON.stringify(broadcast?.['result'])}`,
    `email.send jobs: ${mails?.['n']}, completed ${mails?.['completed']}`,
    `messages that the mail server took: ${sink.mails.length}`,
    `distinct recipients: ${addresses.length - none} of ${addresses.length}`,
    `  with one message: ${once}`,
    `  with one message more than once, under its Message-ID: ${again.length}, ${most} times at most (a kill fell between the mail server's answer and the commit)`,
    `  with two different messages: ${twoMails}`,
    `messages to anybody else: ${strangers}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  const isWhole = broadcast?.['status'] === 'completed' && Number(mails?.['completed']) === addresses.length;
  return isWhole && none === 0 && twoMails === 0 && strangers === 0;
}
