import { isDenied } from '../db/faults';
import type { Pool } from '../db/pool';
import { select, selectFrom } from '../db/statements';
import type { JobId } from './job';

interface Reference {
  tableSchema: string;
  tableName: string;
  columnName: string;
  isHere: number;
}

/** The foreign keys of other tables that refer to jobs; looked up when the first DELETE is refused. */
export class References {
  private found: readonly Reference[] | undefined;
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /** Which of these jobs rows refer to, by the column that does: `child.job_id`. A table that this user may not read is passed over. */
  async findReferred(ids: readonly JobId[]): Promise<Map<string, JobId[]>> {
    const referred = new Map<string, JobId[]>();
    for (const reference of await this.list()) {
      const rows = await this.readIds(reference, ids);
      if (rows.length > 0) referred.set(nameOf(reference), rows);
    }
    return referred;
  }

  /** All of them, for when nobody can tell which of them it is. */
  async names(): Promise<string[]> {
    return (await this.list()).map(nameOf);
  }

  private async list(): Promise<readonly Reference[]> {
    this.found ??= await select<Reference>(this.pool, 'list_references');
    return this.found;
  }

  private async readIds({ tableSchema, tableName, columnName }: Reference, ids: readonly JobId[]): Promise<JobId[]> {
    const names = { table: [tableSchema, tableName], column: [columnName] };
    try {
      const rows = await selectFrom<{ id: JobId }>(this.pool, 'find_referred_jobs', names, { ids: [...ids] });
      return rows.map(({ id }) => id);
    } catch (error) {
      if (isDenied(error)) return [];
      throw error;
    }
  }
}

const nameOf = ({ tableSchema, tableName, columnName, isHere }: Reference): string =>
  [...(isHere === 1 ? [] : [tableSchema]), tableName, columnName].join('.');
