import { median } from './samples.mjs';
import { sayFigures } from './say-figures.mjs';

/** @typedef {import('./samples.mjs').RoundSample} RoundSample */

const SERVERS = {
  mariadb: 'MariaDB',
  mysql: 'MySQL',
  postgres: 'PostgreSQL',
  'redis-everysec': 'Redis, everysec',
  'redis-always': 'Redis, always',
};

const NAMES = { rowlock: 'Rowlock', 'bare-loop': 'bare loop', bullmq: 'BullMQ', sidequest: 'Sidequest' };

const BAR_WIDTH = 24;

/**
 * The table of one measure. Where several take part they are the rows, the fastest first, with a bar; else what was
 * measured is, and the servers are the columns.
 *
 * @param {readonly RoundSample[]} samples
 */
export function layOutMeasure(samples) {
  const contenders = unique(samples.map(({ contender }) => contender));
  return contenders.length > 1 ? layOutContenders(samples) : layOutVariants(samples);
}

/** @param {readonly RoundSample[]} samples */
function layOutContenders(samples) {
  const variants = unique(samples.map(headOf));
  const first = variants.at(-1) ?? '';
  const rows = unique(samples.map(rowOf)).map((row) => ({
    row,
    of: samples.filter((sample) => rowOf(sample) === row),
  }));
  /** @param {readonly RoundSample[]} of @param {string} variant */
  const valuesOf = (of, variant) => of.filter((sample) => headOf(sample) === variant).map(({ value }) => value);
  /** @param {readonly RoundSample[]} of */
  const size = (of) => median(valuesOf(of, variants[0] ?? first)) || 0;
  rows.sort((a, b) => size(b.of) - size(a.of));
  const largest = Math.max(...rows.map(({ of }) => size(of)));
  return table(
    ['', ...variants, ''],
    rows.map(({ row, of }) => [
      row,
      ...variants.map((variant) => sayFigures(valuesOf(of, variant))),
      bar(size(of) / largest),
    ]),
  );
}

/** @param {readonly RoundSample[]} samples */
function layOutVariants(samples) {
  const servers = unique(samples.map(({ server }) => server));
  const rows = unique(samples.map(headOf));
  return table(
    ['', ...servers.map(sayServer)],
    rows.map((row) => [
      row,
      ...servers.map((server) =>
        sayFigures(
          samples.filter((sample) => headOf(sample) === row && sample.server === server).map(({ value }) => value),
        ),
      ),
    ]),
  );
}

/** @param {RoundSample} sample */
const headOf = ({ variant, unit }) => (unit === '' ? variant : `${variant}, ${unit}`);

/** @param {RoundSample} sample */
function rowOf({ contender, server }) {
  const name = NAMES[/** @type {keyof typeof NAMES} */ (contender)] ?? contender;
  return `${name} (${sayServer(server)})`;
}

/** @param {string} server */
const sayServer = (server) => SERVERS[/** @type {keyof typeof SERVERS} */ (server)] ?? server;

/** @param {number} share */
const bar = (share) => '█'.repeat(Math.round(share * BAR_WIDTH)) || '▏';

/** @param {readonly string[]} values */
const unique = (values) => [...new Set(values)];

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 */
function table(head, rows) {
  /** @param {readonly string[]} cells */
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rule = `|---|${head
    .slice(1)
    .map((title) => (title === '' ? '---' : '---:'))
    .join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}
