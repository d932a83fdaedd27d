import {
  type FoundColumn,
  isAsWanted,
  listWantedColumns,
  listWantedKeys,
  type WantedColumn,
  type WantedKey,
} from './adopt-columns';
import type { Shape } from './adopt-shape';

/** A column that is there and must change. */
export interface Change {
  wanted: WantedColumn;
  found: FoundColumn;
}

/** What the shape alone tells of the ALTER. */
export interface Alteration {
  shape: Shape;
  changes: Change[];
  adds: WantedColumn[];
  keys: WantedKey[];
  convertStorage: boolean;
}

/** Compares the table that is there with the one that Rowlock would create. */
export function findAlteration(shape: Shape): Alteration {
  const found = new Map(shape.columns.map((column) => [column.name.toLowerCase(), column]));
  const changes: Change[] = [];
  const adds: WantedColumn[] = [];
  for (const wanted of listWantedColumns()) {
    const column = found.get(wanted.name);
    if (column === undefined) adds.push(wanted);
    else if (!isAsWanted(column, wanted)) changes.push({ wanted, found: column });
  }
  return {
    shape,
    changes,
    adds,
    keys: listWantedKeys().filter(({ name }) => !shape.keys.some((key) => key.name === name)),
    convertStorage: shape.table.engine !== 'InnoDB' || /^(compact|redundant)$/i.test(shape.table.rowFormat ?? ''),
  };
}
