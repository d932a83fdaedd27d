import type { Queryable } from '../db/pool';
import { select } from '../db/statements';
import { UnrecoverableError } from '../errors';
import type { ImportOrder } from './csv-payload';
import type { Empty, Source } from './csv-row';

/** Where the fields of a line go. */
export interface Target {
  table: string;
  /** As the table has them. */
  columns: string[];
  /** For each of them. */
  sources: Source[];
  /** How many fields a line has. */
  fields: number;
  /** The longest statement that the server takes. */
  packetBytes: number;
  /** False: LOAD DATA LOCAL is switched off (`local_infile`). */
  takesLoads: boolean;
}

interface TableColumn {
  name: string;
  nullable: number;
  hasDefault: number;
  isGenerated: number;
  engine: string | null;
  transactional: number | null;
  packetBytes: number;
  takesLoads: number;
}

/**
 * Looks at the table, and finds the column of each field. Names are compared as the server does: without case.
 *
 * @param header the names in the file's header; null: it has none
 * @throws UnrecoverableError if table and file do not fit together
 */
export async function findTarget(on: Queryable, order: ImportOrder, header: string[] | null): Promise<Target> {
  const { table } = order;
  const found = await select<TableColumn>(on, 'list_table_columns', { table });
  const [first] = found;
  if (first === undefined) {
    throw new UnrecoverableError(
      `the table ${table} is not there, or not for this user; create it, or GRANT INSERT on it, then rowlock retry this job`,
    );
  }
  if (first.transactional === 0) {
    throw new UnrecoverableError(
      `the table ${table} is ${first.engine}, which has no transactions: a crash would leave half a batch in it; ALTER TABLE … ENGINE=InnoDB`,
    );
  }
  const named = nameFields(order, header);
  const faults = findFaults(named, found);
  if (faults.length > 0) {
    throw new UnrecoverableError(`${order.file} does not fit the table ${table}: ${faults.join('; ')}`);
  }
  const sources = named.flatMap((name, field) => {
    const column = found.find((candidate) => isSame(candidate.name, name));
    return column === undefined ? [] : [{ column, field }];
  });
  return {
    table,
    columns: sources.map(({ column }) => column.name),
    sources: sources.map(({ column, field }) => ({ field, empty: emptyOf(column) })),
    fields: named.length,
    packetBytes: first.packetBytes,
    takesLoads: first.takesLoads === 1,
  };
}

/** The column for each field; undefined for one that is left out. */
function nameFields({ file, columns }: ImportOrder, header: string[] | null): (string | undefined)[] {
  if (Array.isArray(columns)) return columns.map((name) => name ?? undefined);
  const names = header ?? [];
  if (columns === undefined) return names;
  const missing = Object.keys(columns).filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new UnrecoverableError(`the header of ${file} lacks ${list(missing)}, which the payload's columns name`);
  }
  return names.map((name) => (Object.hasOwn(columns, name) ? columns[name] : undefined));
}

function findFaults(named: (string | undefined)[], found: TableColumn[]): string[] {
  const names = named.filter((name) => name !== undefined);
  const has = (name: string) => found.find((column) => isSame(column.name, name));
  const unknown = names.filter((name) => has(name) === undefined);
  const generated = names.filter((name) => has(name)?.isGenerated === 1);
  const twice = names.filter((name, index) => names.findIndex((other) => isSame(other, name)) < index);
  const wanted = found.filter(
    ({ name, nullable, hasDefault, isGenerated }) =>
      nullable === 0 && hasDefault === 0 && isGenerated === 0 && !names.some((given) => isSame(given, name)),
  );
  const only = named.length === 1 ? ' (the only field: is the delimiter another one?)' : '';
  return [
    ...(unknown.length > 0 ? [`the table has no column ${list(unknown)}${only}`] : []),
    ...(generated.length > 0 ? [`the server itself fills ${list(generated)}`] : []),
    ...(twice.length > 0 ? [`the file has ${list(twice)} twice`] : []),
    ...(wanted.length > 0 ? [`the file lacks ${list(wanted.map(({ name }) => name))}, which has no default`] : []),
  ];
}

const isSame = (one: string, other: string | undefined): boolean => one.toLowerCase() === other?.toLowerCase();

function emptyOf({ nullable, hasDefault }: TableColumn): Empty {
  if (nullable === 1) return 'null';
  return hasDefault === 1 ? 'default' : 'text';
}

const SHOWN = 5;

/** They come from a file, and may be anything. */
function list(names: string[]): string {
  const shown = names.slice(0, SHOWN).map((name) => JSON.stringify(name.slice(0, 64).toWellFormed()));
  return names.length > SHOWN ? `${shown.join(', ')} and ${names.length - SHOWN} more` : shown.join(', ');
}
