import type { Alteration, Change } from './adopt-alteration';
import { isConvertible, listWantedKeys } from './adopt-columns';
import type { Shape } from './adopt-shape';

/** One thing that stands in the way, with its mend. */
export interface Blocker {
  /** The column, or what else it is about. */
  subject: string;
  text: string;
}

const INTEGERS = ['tinyint', 'smallint', 'mediumint', 'int', 'bigint'];
const CONVERTED_ENGINES = ['InnoDB', 'MyISAM', 'Aria'];

/** What stands in the way whatever the rows hold: the table's kind, its id, types, keys and foreign keys. */
export function findShapeBlockers(alteration: Alteration): Blocker[] {
  const { shape } = alteration;
  if (shape.table.type !== 'BASE TABLE') {
    return [
      {
        subject: 'background_jobs',
        text: `is a ${shape.table.type.toLowerCase()}, not a plain table; rename it and let rowlock migrate create the table`,
      },
    ];
  }
  return [
    ...findTableBlockers(shape),
    ...findIdBlockers(shape),
    ...alteration.changes.filter(({ found, wanted }) => !isConvertible(found, wanted)).map(sayWrongType),
    ...findKeyBlockers(alteration),
    ...findForeignKeyBlockers(alteration),
  ];
}

function findTableBlockers({ table }: Shape): Blocker[] {
  const blockers: Blocker[] = [];
  if (/partitioned/i.test(table.options ?? '')) {
    blockers.push({
      subject: 'background_jobs',
      text: 'is partitioned; ALTER TABLE background_jobs REMOVE PARTITIONING',
    });
  }
  if (!CONVERTED_ENGINES.includes(table.engine ?? '')) {
    blockers.push({
      subject: 'background_jobs',
      text: `has the engine ${table.engine}; ALTER TABLE background_jobs ENGINE = InnoDB`,
    });
  }
  return blockers;
}

function findIdBlockers({ columns, keys }: Shape): Blocker[] {
  const id = columns.find(({ name }) => name.toLowerCase() === 'id');
  if (id === undefined) return [{ subject: 'id', text: 'is missing; rename the primary key to id' }];
  const primary = keys.find(({ name }) => name === 'PRIMARY')?.columns ?? [];
  const why = [
    ...(INTEGERS.includes(id.base) ? [] : [`has the type ${id.type}, no integer`]),
    ...(/auto_increment/i.test(id.extra) ? [] : ['is not AUTO_INCREMENT']),
    ...(primary.length === 1 && primary[0]?.toLowerCase() === 'id' ? [] : ['is not the primary key by itself']),
  ];
  if (why.length === 0) return [];
  return [{ subject: 'id', text: `${why.join(' and ')}; make it an AUTO_INCREMENT integer PRIMARY KEY` }];
}

function sayWrongType({ found, wanted }: Change): Blocker {
  const is = found.computed === 1 ? 'is computed from other columns' : `has the type ${found.type}`;
  return {
    subject: wanted.name,
    text: `${is} and cannot become ${wanted.type}; convert it, or ALTER TABLE background_jobs RENAME COLUMN ${wanted.name} TO old_${wanted.name}`,
  };
}

function findKeyBlockers({ shape, changes }: Alteration): Blocker[] {
  const taken = listWantedKeys().flatMap((wanted): Blocker[] => {
    const found = shape.keys.find(({ name }) => name.toLowerCase() === wanted.name);
    if (found === undefined) return [];
    if (found.unique === wanted.unique && found.columns.join().toLowerCase() === wanted.columns.join()) return [];
    return [
      {
        subject: wanted.name,
        text: `is the name of a key over other columns; ALTER TABLE background_jobs RENAME INDEX ${found.name} TO old_${found.name}`,
      },
    ];
  });
  return [...taken, ...(shape.family === 'MySQL' ? changes.flatMap((change) => findKeysOverJson(change, shape)) : [])];
}

/** MySQL has no key over a JSON column. */
function findKeysOverJson({ wanted, found }: Change, { keys }: Shape): Blocker[] {
  if (wanted.kind !== 'json') return [];
  return keys
    .filter(({ columns }) => columns.some((column) => column.replace(/\(.*/, '') === found.name))
    .map(({ name }) => ({
      subject: wanted.name,
      text: `is in the key ${name}, and JSON can be in none; ALTER TABLE background_jobs DROP INDEX ${name}`,
    }));
}

function findForeignKeyBlockers({ shape, changes }: Alteration): Blocker[] {
  return shape.foreignKeys
    .filter(({ columnName }) => changes.some(({ found }) => found.name === columnName))
    .map(({ name, source, target, columnName }) => ({
      subject: columnName,
      text: `must change, but the foreign key ${name} (${source} to ${target}) holds it; ALTER TABLE ${source.split('.')[0]} DROP FOREIGN KEY ${name}`,
    }));
}
