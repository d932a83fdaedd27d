import { JOBS_VERSION, listMigrations, readStatements } from './migrations';

/** A column of background_jobs as its migration creates it. */
export interface WantedColumn {
  name: string;
  /** The whole definition, as it stands in an ALTER. */
  definition: string;
  /** In the form of information_schema: `varchar(255)`, `int unsigned`, `json`. */
  type: string;
  kind: Kind;
  charset?: string | undefined;
  collation?: string | undefined;
  nullable: boolean;
  initial?: string | undefined;
}

/** A key of background_jobs as its migration creates it. */
export interface WantedKey {
  name: string;
  definition: string;
  unique: boolean;
  columns: string[];
}

/** A column as it was found. */
export interface FoundColumn {
  name: string;
  type: string;
  base: string;
  charset: string | null;
  collation: string | null;
  nullable: number;
  initial: string | null;
  extra: string;
  computed: number;
  /** MariaDB's JSON: a LONGTEXT that is checked. */
  checkedJson: boolean;
}

type Kind = 'varchar' | 'text' | 'enum' | 'json' | 'timestamp' | 'integer' | 'real';

const TEXTS = ['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext'];

/** The types whose values become a column of the kind with nothing lost, if each of them fits. */
const CONVERTIBLE: Record<Kind, readonly string[]> = {
  varchar: [...TEXTS, 'enum'],
  text: TEXTS,
  enum: [...TEXTS, 'enum'],
  json: [...TEXTS, 'json'],
  timestamp: ['timestamp', 'datetime', 'date'],
  integer: ['tinyint', 'smallint', 'mediumint', 'int', 'bigint'],
  real: ['float', 'double', 'decimal'],
};

const KINDS: Record<string, Kind> = {
  varchar: 'varchar',
  text: 'text',
  enum: 'enum',
  json: 'json',
  timestamp: 'timestamp',
  smallint: 'integer',
  int: 'integer',
  bigint: 'integer',
  double: 'real',
};

const COLUMN_LINE = /^ {2}([a-z_]+) +(.+?),?$/;
const KEY_LINE = /^ {2}((UNIQUE )?KEY ([a-z_]+) \((.+)\)),?$/;
const DEFINITION =
  /^(?<type>\w+(?:\([^)]*\))?(?: UNSIGNED)?)(?: CHARACTER SET (?<charset>\w+))?(?: COLLATE (?<collation>\w+))? (?<no>NOT )?NULL(?: DEFAULT (?<initial>.+))?$/;

/** The columns of background_jobs but for its id, which an adopted table keeps. */
export function listWantedColumns(): WantedColumn[] {
  return readJobsLines().flatMap((line) => {
    const [, name, definition] = COLUMN_LINE.exec(line) ?? [];
    return name === undefined || definition === undefined || name === 'id' ? [] : [parseColumn(name, definition)];
  });
}

/** The keys of background_jobs but for the primary one. */
export function listWantedKeys(): WantedKey[] {
  return readJobsLines().flatMap((line) => {
    const [, definition, unique, name, columns] = KEY_LINE.exec(line) ?? [];
    if (definition === undefined || name === undefined || columns === undefined) return [];
    return [{ name, definition, unique: unique !== undefined, columns: columns.split(', ') }];
  });
}

/** Whether the column is already what its migration would make it. */
export function isAsWanted(found: FoundColumn, wanted: WantedColumn): boolean {
  return (
    hasType(found, wanted) &&
    (found.nullable === 1) === wanted.nullable &&
    plainDefault(found.initial) === plainDefault(wanted.initial) &&
    found.computed === 0 &&
    !/on update/i.test(found.extra)
  );
}

/** Whether the values of the column can become values of the wanted type. */
export function isConvertible(found: FoundColumn, wanted: WantedColumn): boolean {
  return found.computed === 0 && CONVERTIBLE[wanted.kind].includes(found.base) && found.charset !== 'binary';
}

function hasType(found: FoundColumn, wanted: WantedColumn): boolean {
  if (wanted.kind === 'json') return isJson(found);
  return (
    plainType(found.type) === wanted.type &&
    (wanted.charset === undefined || found.charset === wanted.charset) &&
    (wanted.collation === undefined || found.collation === wanted.collation)
  );
}

export const isJson = (found: FoundColumn): boolean =>
  found.base === 'json' || (found.base === 'longtext' && found.collation === 'utf8mb4_bin' && found.checkedJson);

function parseColumn(name: string, definition: string): WantedColumn {
  const parts = DEFINITION.exec(definition)?.groups;
  const type = plainType(parts?.['type'] ?? '');
  const kind = KINDS[/^\w+/.exec(type)?.[0] ?? ''];
  if (parts === undefined || kind === undefined)
    throw new TypeError(`column ${name} has a definition of no known form: ${definition}`);
  return {
    name,
    definition,
    type,
    kind,
    charset: parts['charset'],
    collation: parts['collation'],
    nullable: parts['no'] === undefined,
    initial: parts['initial'],
  };
}

/** One spelling for both families: `int(10) unsigned` is `int unsigned`, `enum('a', 'b')` has no blanks. */
const plainType = (type: string): string =>
  type
    .toLowerCase()
    .replace(/^(\w*int)\(\d+\)/, '$1')
    .replaceAll(', ', ',');

/** MariaDB quotes a default and writes NULL as a word; MySQL does neither. */
function plainDefault(initial: string | null | undefined): string | undefined {
  const plain = initial?.replace(/^'(.*)'$/, '$1').toLowerCase();
  return plain === 'null' ? undefined : plain;
}

function readJobsLines(): string[] {
  const migration = listMigrations().find(({ version }) => version === JOBS_VERSION);
  if (migration === undefined)
    throw new TypeError('the migration that creates background_jobs is missing from the package');
  return (readStatements(migration)[0] ?? '').split('\n');
}
