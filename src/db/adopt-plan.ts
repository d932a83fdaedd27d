import { type Alteration, findAlteration } from './adopt-alteration';
import { findDataBlockers } from './adopt-blockers-data';
import { type Blocker, findShapeBlockers } from './adopt-blockers-shape';
import { type FoundColumn, listWantedColumns } from './adopt-columns';
import { findNotices } from './adopt-notices';
import { hasColumn, type RowCount, readShape, type Shape } from './adopt-shape';
import { adoptText, ask } from './adopt-statements';
import type { Queryable } from './pool';

/** What adopting another app's background_jobs would do, and what stands in the way. */
export interface AdoptionPlan {
  rows: RowCount[];
  /** Columns that stay as they are. */
  keeps: string[];
  changes: { column: string; from: string; to: string }[];
  adds: { column: string; definition: string }[];
  keys: string[];
  /** Why the table is stored anew, if it is. */
  storage?: string | undefined;
  /** The server's time zone, in which DATETIME values are read; only where there are any. */
  timeZone?: string | undefined;
  /** The queues that start paused. */
  queues: string[];
  notices: string[];
  blockers: Blocker[];
  /** The clauses of the ALTER; none when it has happened already. */
  clauses: string[];
}

/** Looks at the table and its rows, and changes nothing. */
export async function planAdoption(on: Queryable): Promise<AdoptionPlan> {
  await on.query(adoptText('set_session'));
  const plan = await drawPlan(on);
  await on.query(adoptText('restore_session'));
  return plan;
}

async function drawPlan(on: Queryable): Promise<AdoptionPlan> {
  const alteration = findAlteration(await readShape(on));
  const blockers = findShapeBlockers(alteration);
  // Where the shape is wrong, a question about the rows may be none that the server can answer.
  const readable = alteration.shape.table.type === 'BASE TABLE' && !blockers.some(({ subject }) => subject === 'id');
  const rows = await countRows(on, alteration.shape);
  if (readable) blockers.push(...(await findDataBlockers(on, alteration, rows)));
  return {
    ...describe(alteration),
    rows,
    timeZone: await findTimeZone(on, alteration),
    queues: await listQueues(on, alteration.shape),
    notices: readable ? await findNotices(on, alteration) : [],
    blockers,
  };
}

function describe({ shape, changes, adds, keys, convertStorage }: Alteration) {
  const ours = new Set(listWantedColumns().map(({ name }) => name));
  const { engine, rowFormat } = shape.table;
  return {
    keeps: shape.columns.filter(({ name }) => !ours.has(name.toLowerCase())).map(({ name, type }) => `${name} ${type}`),
    changes: changes.map(({ wanted, found }) => ({
      column: wanted.name,
      from: sayColumn(found),
      to: wanted.definition,
    })),
    adds: adds.map(({ name, definition }) => ({ column: name, definition })),
    keys: keys.map(({ definition }) => definition),
    storage: convertStorage ? `${engine} ${rowFormat} becomes InnoDB DYNAMIC` : undefined,
    clauses: [
      ...changes.map(({ wanted, found }) => `MODIFY COLUMN \`${found.name}\` ${wanted.definition}`),
      ...adds.map(({ name, definition }) => `ADD COLUMN ${name} ${definition}`),
      ...keys.map(({ definition }) => `ADD ${definition}`),
      ...(convertStorage ? [adoptText('convert_storage')] : []),
    ],
  };
}

function sayColumn({ type, collation, nullable, extra, initial }: FoundColumn): string {
  return [
    type,
    collation === null ? '' : `COLLATE ${collation}`,
    nullable === 1 ? 'NULL' : 'NOT NULL',
    initial === null || initial === 'NULL' ? '' : `DEFAULT ${initial}`,
    /on update/i.test(extra) ? extra.replace('DEFAULT_GENERATED ', '') : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
}

async function countRows(on: Queryable, shape: Shape): Promise<RowCount[]> {
  if (hasColumn(shape, 'status')) return ask(on, 'count_by_status');
  return (await ask<{ count: number }>(on, 'count_rows')).map(({ count }) => ({ status: null, count }));
}

async function listQueues(on: Queryable, shape: Shape): Promise<string[]> {
  if (!hasColumn(shape, 'queue')) return ['default'];
  const found = (await ask<{ queue: string | null }>(on, 'list_queues')).map(({ queue }) => String(queue));
  return [...new Set(['default', ...found])];
}

async function findTimeZone(on: Queryable, { changes }: Alteration): Promise<string | undefined> {
  if (!changes.some(({ found }) => found.base === 'datetime' || found.base === 'date')) return undefined;
  const [zone] = await ask<{ name: string; ofSystem: string }>(on, 'find_time_zone');
  return zone?.name === 'SYSTEM' ? `SYSTEM, which is ${zone.ofSystem}` : zone?.name;
}
