import { randomBytes } from 'node:crypto';
import { createConnection, createPool, type Pool } from 'mysql2/promise';
import { migrate } from '../../src/db/migrate';
import { withPool } from './tables';
import { createUsers, type Users } from './users';

/** A database of its own for one test or one file: nothing that other tests do is seen in it. */
export interface TestDatabase {
  name: string;
  /** What `DATABASE_URL` has to say to reach it as the tests' own user, who may do everything. */
  url: string;
  /** The same for the users of sql/grants.sql, each of whom may do no more than its work needs. */
  urls: Users['urls'];
  users: Users;
  /** A plain client of the tests' own user: no setting of Rowlock's own. */
  pool: Pool;
  /** A plain client of the producer, as another app would have it; of one connection. */
  producer: Pool;
  drop(): Promise<void>;
}

export interface TestDatabaseOptions {
  /** @default true */
  migrated?: boolean;
}

const LONGEST_NAME = 64;
const CLIENT = { supportBigNumbers: true, jsonStrings: true };

const open = new Set<TestDatabase>();

afterAll(async () => {
  for (const database of open) await database.drop();
});

/** Creates a database beside the one of `ROWLOCK_TEST_DATABASE_URL`; dropped at the end of the file at the latest. */
export async function createDatabase({ migrated = true }: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const server = serverUrl();
  const name = uniqueName(server.pathname.slice(1) || 'rowlock');
  await execute(server.href, `CREATE DATABASE \`${name}\` CHARACTER SET utf8mb4`);

  const url = new URL(server);
  url.pathname = `/${name}`;
  const users = await createUsers(url).catch(async (error: unknown) => {
    await execute(server.href, `DROP DATABASE \`${name}\``);
    throw error;
  });
  const pool = createPool({ uri: url.href, connectionLimit: 5, ...CLIENT });
  const producer = createPool({ uri: users.urls.producer, connectionLimit: 1, ...CLIENT });
  const database: TestDatabase = {
    name,
    url: url.href,
    urls: users.urls,
    users,
    pool,
    producer,
    async drop() {
      if (!open.delete(database)) return;
      await Promise.all([pool.end(), producer.end()]);
      await users.drop();
      await execute(server.href, `DROP DATABASE IF EXISTS \`${name}\``);
    },
  };
  open.add(database);
  if (migrated) {
    await withPool(users.urls.migrator, migrate);
    await users.grant();
  }
  return database;
}

function serverUrl(): URL {
  const url = process.env['ROWLOCK_TEST_DATABASE_URL'];
  if (url) return new URL(url);
  throw new Error('ROWLOCK_TEST_DATABASE_URL is not set; `npm test -- tests/<file>` brings up a server and sets it');
}

function uniqueName(base: string): string {
  const suffix = `_test_${randomBytes(6).toString('hex')}`;
  return base.slice(0, LONGEST_NAME - suffix.length) + suffix;
}

async function execute(url: string, sql: string): Promise<void> {
  const connection = await createConnection({ uri: url });
  try {
    await connection.query(sql);
  } finally {
    await connection.end();
  }
}
