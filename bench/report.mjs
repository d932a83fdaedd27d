import { execFileSync } from 'node:child_process';
import { ENVIRONMENT, TUNING } from './contenders/tuning.mjs';
import { describeMachine, readVersions } from './machine.mjs';
import { layOutMeasure } from './measure-table.mjs';
import { findNode } from './node.mjs';
import { layOutTargets } from './target-table.mjs';

/**
 * @typedef {object} Run
 * @property {readonly import('./servers/server.mjs').BenchServer[]} servers
 * @property {boolean} quick
 * @property {number} rounds
 * @property {number} minutes
 * @property {readonly import('./targets.mjs').Peer[]} peers that were to take part
 * @property {readonly string[]} faults measures that did not come to their end
 */

const MYSQL_ONCE = 'MySQL is measured in the first round only.';

/**
 * What each measure is, in the order of the page.
 *
 * @type {Record<string, { title: string, text: string }>}
 */
const HEADINGS = {
  drain: {
    title: 'Drain',
    text:
      'No-op jobs that wait, through real handlers. From the start of the worker processes until the server has the ' +
      'last job as completed; that each ran once, and is completed, is checked afterwards. Before the start MariaDB and ' +
      'MySQL are given up to 20 seconds to purge what was deleted, and PostgreSQL a `VACUUM ANALYZE` and a `CHECKPOINT`. ' +
      'Sidequest is given eight seconds, and what it got through counts.',
  },
  enqueue: {
    title: 'Enqueue',
    text:
      'One client, a small payload, until the server has acknowledged the last. Sidequest has no call for many jobs: ' +
      'a hundred are under way at once.',
  },
  'idle-tick': {
    title: 'Idle tick',
    text:
      'One `rowlock run` that finds nothing, beside a bare Node program that loads mysql2, connects and asks one question. ' +
      `A round's figure is itself a median, of 15 times. ${MYSQL_ONCE}`,
  },
  'pick-up': {
    title: 'Pick-up',
    text:
      "From INSERT's commit to the first line of the function, with `--keep-alive` and the default poll. A round has 60 rows: " +
      `its p99 is the slowest of them. ${MYSQL_ONCE}`,
  },
  growth: {
    title: 'Growth',
    text: `The drain again, with other rows in the table, and with a snapshot held open. ${MYSQL_ONCE}`,
  },
  memory: {
    title: 'Memory',
    text: 'Of one `rowlock run`, over a million no-op jobs. Measured in one round only.',
  },
  work: { title: 'Work', text: 'What is asked of the server, counted. Measured in one round only.' },
  fairness: { title: 'Fairness', text: 'Jobs of one second, shared by eight runs.' },
};

/**
 * The page of results.
 *
 * @param {readonly import('./samples.mjs').RoundSample[]} samples
 * @param {Run} run
 */
export function toMarkdown(samples, run) {
  const { rounds, quick, minutes, peers, faults } = run;
  const times = rounds === 1 ? 'one round' : `${rounds} rounds`;
  const parts = [
    '# Rowlock beside its peers, and beside the limit',
    `Written by \`npm run bench\`${quick ? ' with `--quick`: one round of small counts, which shows that all runs, and no more' : ''}: ` +
      `${times} in ${Math.round(minutes)} minutes. A figure is the median of the rounds, behind it the least and the ` +
      'greatest; what was measured in one round only says so. A ratio is taken inside one round. Each commit of a SQL server ' +
      'is flushed to the disk: the bench refuses a server that is set otherwise. Redis appends each command to a file, and ' +
      'flushes it each second or before it answers, as its name here says. The settings below were read from the servers.',
    ...faults.map((fault) => `**Did not come to its end:** ${fault.split('\n')[0]}`),
    '## Targets',
    layOutTargets(samples, peers),
    ...Object.entries(HEADINGS).flatMap(([measure, { title, text }]) => {
      const of = samples.filter((sample) => sample.measure === measure);
      if (of.length === 0) return [];
      return [`## ${title}`, text, layOutMeasure(of)];
    }),
    '## What it was measured on',
    describeSetting(run),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** @param {Run} run */
function describeSetting({ servers }) {
  const node = execFileSync(findNode(), ['--version'], { encoding: 'utf8' }).trim();
  const lines = [
    ...describeMachine(),
    `everything ran on Node ${node}`,
    readVersions().join(', '),
    ...Object.entries(TUNING).map(
      ([name, options]) => `${name}: \`${JSON.stringify(options)}\`${sayEnvironment(name)}`,
    ),
    'Rowlock: its defaults',
    'the server programs: the defaults of their makers, but for a port, 1 GB of buffers (MariaDB, PostgreSQL, and a MySQL ' +
      "that the bench starts), room for 500 connections (MariaDB, MySQL) or 200 (PostgreSQL), and Redis's append-only file, with " +
      'no snapshots and no key evicted. A MySQL that was given by its URL has sizes of its own',
  ];
  const rows = servers.map(({ name, version, settings }) => {
    const list = Object.entries(settings).map(([setting, value]) => `${setting} = ${value === '' ? '""' : value}`);
    return `| ${name} ${version} | ${list.join(', ')} |`;
  });
  return [...lines.map((line) => `- ${line}`), '', '| server | settings |', '|---|---|', ...rows].join('\n');
}

/** @param {string} contender */
const sayEnvironment = (contender) =>
  Object.entries(ENVIRONMENT[contender] ?? {})
    .map(([name, value]) => `, with \`${name}=${value}\` in its environment`)
    .join('');
