import { execFileSync } from 'node:child_process';
import { ENVIRONMENT, TUNING } from './contenders/tuning.mjs';
import { describeMachine, readVersions } from './machine.mjs';
import { layOutMeasure } from './measure-table.mjs';
import { layOutTargets } from './target-table.mjs';

/**
 * @typedef {object} Run
 * @property {readonly import('./servers/server.mjs').BenchServer[]} servers
 * @property {boolean} quick
 * @property {number} rounds
 * @property {number} minutes
 * @property {string} peersNode
 * @property {readonly import('./targets.mjs').Peer[]} peers that were to take part
 * @property {readonly string[]} faults measures that did not come to their end
 */

/** What each measure is, in the order of the page. */
const HEADINGS = {
  drain:
    'Drain: no-op jobs that wait, through real handlers. From the start of the worker processes until the server has the ' +
    'last job as completed; that each ran once, and is completed, is checked afterwards. Sidequest is given eight seconds, and what it got through counts.',
  enqueue:
    'Enqueue: one client, a small payload, until the server has acknowledged the last. Sidequest has no call for many jobs: ' +
    'a hundred are under way at once.',
  'idle-tick':
    'Idle tick: one `rowlock run` that finds nothing, beside a bare Node program that loads mysql2, connects and asks one question.',
  'pick-up':
    "Pick-up: from INSERT's commit to the first line of the function, with `--keep-alive` and the default poll.",
  growth: 'Growth: the drain again, with other rows in the table, and with a snapshot held open.',
  memory: 'Memory: of one `rowlock run`, over a million no-op jobs.',
  work: 'Work: what is asked of the server, counted.',
  fairness: 'Fairness: 80 jobs of one second, shared by eight runs.',
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
      `${times}, each with all measures, in ${Math.round(minutes)} minutes. A figure is the median of the rounds, behind it ` +
      'the least and the greatest. A ratio is taken inside one round. Each commit of a SQL server is flushed to the disk; ' +
      'the settings below were read from the servers, and the bench refuses others.',
    ...faults.map((fault) => `**Did not come to its end:** ${fault.split('\n')[0]}`),
    '## Targets',
    layOutTargets(samples, peers),
    ...Object.entries(HEADINGS).flatMap(([measure, text]) => {
      const of = samples.filter((sample) => sample.measure === measure);
      if (of.length === 0) return [];
      const [title = '', rest = ''] = text.split(/: (.*)/s);
      return [`## ${title}`, `${rest.slice(0, 1).toUpperCase()}${rest.slice(1)}`, layOutMeasure(of)];
    }),
    '## What it was measured on',
    describeSetting(run),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** @param {Run} run */
function describeSetting({ servers, peersNode }) {
  const theirs = execFileSync(peersNode, ['--version'], { encoding: 'utf8' }).trim();
  const lines = [
    ...describeMachine(),
    `Rowlock and the bare loop ran on Node ${process.version}, the peers on Node ${theirs}`,
    readVersions().join(', '),
    ...Object.entries(TUNING).map(
      ([name, options]) => `${name}: \`${JSON.stringify(options)}\`${sayEnvironment(name)}`,
    ),
    'Rowlock: its defaults; the server programs: their defaults but for 1 GB of buffers and a port',
  ];
  const rows = servers.map(({ name, version, settings }) => {
    const list = Object.entries(settings).map(([setting, value]) => `${setting} = ${value}`);
    return `| ${name} ${version} | ${list.join(', ')} |`;
  });
  return [...lines.map((line) => `- ${line}`), '', '| server | settings |', '|---|---|', ...rows].join('\n');
}

/** @param {string} contender */
const sayEnvironment = (contender) =>
  Object.entries(ENVIRONMENT[contender] ?? {})
    .map(([name, value]) => `, with \`${name}=${value}\` in its environment`)
    .join('');
