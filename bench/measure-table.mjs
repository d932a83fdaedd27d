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

const RATE = 'jobs/s';
const BAR_WIDTH = 24;

/**
 * The table of one measure. Where several take part they are the rows, and rates are sorted and have a bar; else what was
 * measured is the row, and the servers are the columns.
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
  const rows = unique(samples.map(rowOf)).map((name) => {
    const of = samples.filter((sample) => rowOf(sample) === name);
    return { name, figures: variants.map((variant) => valuesOf(of, variant)) };
  });
  const cells = rows.map(({ name, figures }) => [name, ...figures.map(sayFigures)]);
  if (samples.some(({ unit }) => unit !== RATE)) return table(['', ...variants], cells);
  // By the figures that are the highest of all: jobs in bulk, not one at a time.
  const heights = variants.map((_, index) => Math.max(...rows.map(({ figures }) => median(figures[index] ?? []) || 0)));
  const highest = Math.max(...heights);
  const by = heights.indexOf(highest);
  const drawn = rows.map(({ figures }, index) => {
    const rate = median(figures[by] ?? []) || 0;
    return { rate, cells: [...(cells[index] ?? []), bar(rate / highest)] };
  });
  drawn.sort((a, b) => b.rate - a.rate);
  return table(
    ['', ...variants, ''],
    drawn.map((row) => row.cells),
  );
}

/**
 * @param {readonly RoundSample[]} samples
 * @param {string} head
 */
const valuesOf = (samples, head) => samples.filter((sample) => headOf(sample) === head).map(({ value }) => value);

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
