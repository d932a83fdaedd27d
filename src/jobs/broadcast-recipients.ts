import type { ConnectionSettings } from '../config';
import { UnrecoverableError } from '../errors';
import { readRecipientFile } from './broadcast-file';
import { type Broadcast, isFile } from './broadcast-payload';
import { listColumns, type Recipient, toFields, toWord } from './broadcast-recipient';
import { readMailbox } from './email-payload';
import { openJobFile } from './job-file';
import { buildQuery } from './named-query';
import { withRows } from './query-rows';

export interface Recipients {
  /** Where they come from, as an error calls it. */
  name: string;
  columns: string[];
  list: AsyncIterable<Recipient>;
  /** Changes when the file does. Null: they may come in another order each time. */
  version: string | null;
  /** How much has been read, 0 to 1; of a query nobody knows it, and it is 0. */
  fraction(): number;
}

/** Where recipients may come from. */
export interface RecipientSources {
  filesDir?: string | undefined;
  sqlDir?: string | undefined;
  database?: ConnectionSettings | undefined;
}

/**
 * Hands the recipients to `read` as they come: neither a file nor the rows of a query are ever in memory whole.
 *
 * @throws UnrecoverableError if there is no such file or query, or it cannot be read as one
 */
export function withRecipients<T>(
  order: Broadcast,
  sources: RecipientSources,
  signal: AbortSignal,
  read: (recipients: Recipients) => Promise<T>,
): Promise<T> {
  const checked = (recipients: Recipients): Promise<T> => {
    requireColumn(recipients, order);
    return read(recipients);
  };
  return isFile(order.recipients) ? withFile(order, sources, checked) : withQuery(order, sources, signal, checked);
}

async function withFile<T>(
  { recipients: name, delimiter }: Broadcast,
  { filesDir }: RecipientSources,
  read: (recipients: Recipients) => Promise<T>,
): Promise<T> {
  // Not for good: the jobs run once the setting is there.
  if (filesDir === undefined) throw new Error('JOB_FILES_DIR is not set, and the recipients are in a file there');
  const { handle, stats } = await openJobFile(filesDir, name);
  const bytes = handle.createReadStream({ autoClose: false });
  try {
    const { columns, list } = await readRecipientFile(bytes, name, delimiter);
    return await read({
      name,
      columns,
      list,
      version: `${stats.ino} ${stats.size} ${stats.mtimeMs}`,
      fraction: () => Math.min(1, bytes.bytesRead / stats.size),
    });
  } finally {
    // The handle does not close while a stream holds it.
    bytes.destroy();
    await handle.close();
  }
}

async function withQuery<T>(
  { recipients: name, params }: Broadcast,
  { sqlDir, database }: RecipientSources,
  signal: AbortSignal,
  read: (recipients: Recipients) => Promise<T>,
): Promise<T> {
  if (sqlDir === undefined || database === undefined)
    throw new Error('MAIL_SQL_DIR is not set, and the recipients come from a query there');
  const sql = await buildQuery({ kind: 'query', name, params, folders: [sqlDir] });
  return withRows(database, sql, signal, ({ columns: fields, stream }) => {
    const columns = fields.map((field) => field.name);
    const list = toRecipients(columns, stream);
    return read({ name: `the query ${name}`, columns, list, version: null, fraction: () => 0 });
  });
}

async function* toRecipients(columns: string[], rows: AsyncIterable<(Buffer | null)[]>): AsyncGenerator<Recipient> {
  let line = 0;
  for await (const row of rows) {
    line += 1;
    const values = row.map((value) => value?.toString('utf8') ?? null);
    const size = row.reduce((sum, value) => sum + (value?.length ?? 0), 0);
    yield { line, fields: toFields(columns, values), size };
  }
}

/** @throws UnrecoverableError if the columns are none, or the one with the address is not among them */
function requireColumn({ name, columns }: Recipients, { column, delimiter }: Broadcast): void {
  const twice = columns.find((one, index) => columns.indexOf(one) !== index);
  if (twice !== undefined)
    throw new UnrecoverableError(`${name} has two columns named "${toWord(twice)}"; rename one of them`);
  if (columns.includes(column)) return;
  if (columns.some((one) => readMailbox(one) !== undefined))
    throw new UnrecoverableError(`the first line of ${name} is a recipient; put one before it that names the columns`);
  const [only = ''] = columns;
  const isOtherDelimiter = columns.length === 1 && /[;\t|,]/.test(only.replaceAll(delimiter, ''));
  const has = columns.length === 0 ? 'and none with a name' : `only ${listColumns(columns)}`;
  const mend = isOtherDelimiter ? 'give "delimiter" as it is in the file' : 'name another one as "column"';
  throw new UnrecoverableError(`${name} has no column "${toWord(column)}", ${has}; ${mend}`);
}
