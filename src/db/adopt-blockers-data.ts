import type { Alteration, Change } from './adopt-alteration';
import type { Blocker } from './adopt-blockers-shape';
import { type FoundColumn, isConvertible, isJson } from './adopt-columns';
import { hasColumn, type RowCount } from './adopt-shape';
import { ask } from './adopt-statements';
import { isServerError } from './faults';
import type { Queryable } from './pool';

const STATUS_WORDS = ['pending', 'running', 'completed', 'failed'];
const JSON_TOO_DEEP = 3157;
const LONGEST_VARCHAR = 255;
const LARGEST_TEXT = 65_535;

const RANGES: Record<string, [least: number, most: number]> = {
  smallint: [-32_768, 32_767],
  'int unsigned': [0, 4_294_967_295],
  'bigint unsigned': [0, Number.MAX_SAFE_INTEGER],
};

/** Rows are named by the first few ids. */
const SHOWN = 5;

/** What stands in the way in the rows themselves: values that the altered columns cannot hold. */
export async function findDataBlockers(on: Queryable, alteration: Alteration, rows: RowCount[]): Promise<Blocker[]> {
  const blockers = findMissingColumns(alteration, rows);
  for (const change of alteration.changes.filter(({ found, wanted }) => isConvertible(found, wanted))) {
    blockers.push(...(await findValueBlockers(on, change, rows)));
  }
  blockers.push(...(await findDuplicates(on, alteration)), ...(await findHeldRows(on, alteration)));
  return blockers;
}

/** With these missing, every row that is there would become a pending job of no type. */
function findMissingColumns({ adds }: Alteration, rows: RowCount[]): Blocker[] {
  if (rows.every(({ count }) => count === 0)) return [];
  return adds
    .filter(({ name }) => name === 'job_type' || name === 'status')
    .map(({ name }) => ({
      subject: name,
      text: `is missing, and there are rows; ALTER TABLE background_jobs RENAME COLUMN … TO ${name} where another column holds it`,
    }));
}

async function findValueBlockers(on: Queryable, { wanted, found }: Change, rows: RowCount[]): Promise<Blocker[]> {
  const column = wanted.name;
  const find = async (query: string, says: string, values: Record<string, number> = {}): Promise<Blocker[]> => {
    const ids = sayIds(await ask<{ id: number | string }>(on, query, values, found.name));
    return ids === undefined ? [] : [{ subject: column, text: `${says} (${ids})` }];
  };
  const blockers: Blocker[] = [];
  if (!wanted.nullable && found.nullable === 1)
    blockers.push(...(await find('find_null', 'is NULL, but must have a value: UPDATE those rows')));
  switch (wanted.kind) {
    case 'varchar':
      blockers.push(
        ...(await find('find_too_long', `is longer than ${LONGEST_VARCHAR} characters`, { most: LONGEST_VARCHAR })),
      );
      break;
    case 'text':
      blockers.push(...(await find('find_too_large', `is larger than ${LARGEST_TEXT} bytes`, { most: LARGEST_TEXT })));
      break;
    case 'json':
      if (!isJson(found))
        blockers.push(
          ...(await find('find_not_json', 'is text that is no JSON: UPDATE it, to NULL where it is empty').catch(
            sayTooDeep(column),
          )),
        );
      break;
    case 'timestamp':
      blockers.push(
        ...(await find(
          'find_bad_time',
          'is a time that TIMESTAMP cannot hold: a zero date, before 1970, after 2038-01-18, or skipped by summer time',
        )),
      );
      break;
    case 'integer': {
      const [least, most] = RANGES[wanted.type] ?? [0, 0];
      blockers.push(...(await find('find_out_of_range', `is not within ${least} and ${most}`, { least, most })));
      break;
    }
    case 'enum':
      blockers.push(...findOtherWords(rows, found));
      break;
    case 'real':
      break;
  }
  return blockers;
}

/** MySQL answers with an error, and not with no, where JSON nests too deep for it. */
function sayTooDeep(subject: string): (error: unknown) => Blocker[] {
  return (error) => {
    if (!isServerError(error, JSON_TOO_DEEP)) throw error;
    return [{ subject, text: 'is JSON in some row that nests deeper than the server takes; UPDATE it' }];
  };
}

function findOtherWords(rows: RowCount[], { base }: FoundColumn): Blocker[] {
  // An ENUM takes no word that is not in its list, so the mend needs another type first.
  const first =
    base === 'enum' ? "ALTER TABLE background_jobs MODIFY status VARCHAR(20) NOT NULL DEFAULT 'pending', then " : '';
  return rows
    .filter(({ status }) => status !== null && !STATUS_WORDS.includes(status))
    .map(({ status, count }) => ({
      subject: 'status',
      text: `has the other word '${status}' in ${count} ${count === 1 ? 'row' : 'rows'}; let your script write one of ${STATUS_WORDS.join(', ')}, then ${first}UPDATE these rows`,
    }));
}

async function findDuplicates(on: Queryable, { shape, keys }: Alteration): Promise<Blocker[]> {
  if (!keys.some(({ unique }) => unique) || !hasColumn(shape, 'unique_key') || !hasColumn(shape, 'job_type')) return [];
  const ids = sayIds(await ask(on, 'find_duplicate_keys'));
  return ids === undefined
    ? []
    : [{ subject: 'unique_key', text: `is the same in two rows of one job_type; UPDATE one to NULL (${ids})` }];
}

async function findHeldRows(on: Queryable, { shape, changes, adds }: Alteration): Promise<Blocker[]> {
  const altered = changes.length + adds.length > 0;
  if (!altered || !hasColumn(shape, 'run_id') || !hasColumn(shape, 'status')) return [];
  const ids = sayIds(await ask(on, 'find_held_by_run'));
  return ids === undefined
    ? []
    : [
        {
          subject: 'run_id',
          text: `is set in running rows, which Rowlock would take back; UPDATE it to NULL (${ids})`,
        },
      ];
}

/** `ids 3, 8, 9`, or undefined if there are none. */
export function sayIds(rows: { id: number | string }[]): string | undefined {
  if (rows.length === 0) return undefined;
  const shown = rows.slice(0, SHOWN).map(({ id }) => id);
  return `${rows.length === 1 ? 'id' : 'ids'} ${shown.join(', ')}${rows.length > SHOWN ? ' and more' : ''}`;
}
