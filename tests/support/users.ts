import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Connection, createConnection, escapeId } from 'mysql2/promise';

/** The users of sql/grants.sql. */
export type Role = (typeof ROLES)[number];

export const ROLES = ['migrator', 'producer', 'worker', 'viewer'] as const;

/** The users that one test database has for its own: made as sql/grants.sql makes them, only with other names. */
export interface Users {
  /** What `DATABASE_URL` has to say for each of them. */
  urls: Record<Role, string>;
  /** What each is called. */
  names: Record<Role, string>;
  /** Runs sql/grants.sql, or another text in its place, as a DBA would with the plain client: to the first error. */
  grant(sql?: string): Promise<void>;
  /** Runs the GRANT for this user that stands in sql/grants.sql as a comment and names this. */
  uncomment(role: Role, name: string): Promise<void>;
  /** The rights on a table that a DBA would give besides: to a job function's own tables, say. */
  allow(role: Role, privileges: string, table: string): Promise<void>;
  drop(): Promise<void>;
}

const NO_SUCH_TABLE = 1146;

/** What a server says to a user that may not create users, or not grant. */
const DENIED = [1044, 1142, 1227, 1410];

export const GRANTS = readFileSync(join(__dirname, '..', '..', 'sql', 'grants.sql'), 'utf8');

/** A right that the file gives: `UPDATE (status)`, of one column where it is given so. */
export interface Right {
  role: Role;
  right: string;
  table: string;
}

export const RIGHTS: Right[] = [...GRANTS.matchAll(/^GRANT ([^;]*?)\s+ON (\S+) TO 'rowlock_(\w+)'/gm)].flatMap(
  ([, rights = '', table = '', role]) =>
    [...rights.matchAll(/(\w+)(?: \(([^)]*)\))?/g)].flatMap(([, verb = '', columns]) =>
      (columns?.split(/,\s*/) ?? ['']).map((column) => ({
        role: role as Role,
        right: column === '' ? verb : `${verb} (${column})`,
        table,
      })),
    ),
);

/**
 * Makes the users of a database that is still empty: the migrator can go to work, the others have no
 * rights before `grant` is called again.
 *
 * @param server where the test's own user comes in, the name of the database in it
 */
export async function createUsers(server: URL): Promise<Users> {
  const suffix = randomBytes(6).toString('hex');
  const password = randomBytes(12).toString('hex');
  const names = inEachRole((role) => `rl_test_${suffix}_${role}`); // a name has 32 characters at most
  const users: Users = {
    names,
    urls: inEachRole((role) => {
      const url = new URL(server);
      [url.username, url.password] = [names[role], password];
      return url.href;
    }),
    grant: (sql = GRANTS) => onServer(server, (connection) => connection.query(rename(sql, names))),
    allow: (role, privileges, table) =>
      onServer(server, (connection) =>
        connection.query(`GRANT ${privileges} ON ${escapeId(table)} TO ${account(names[role])}`),
      ),
    uncomment: (role, name) => users.grant(findComment(role, name)),
    drop: () => onServer(server, (connection) => connection.query(`DROP USER IF EXISTS ${listAccounts(names)}`)),
  };
  const error = await thrownBy(users.grant());
  if ((error as { errno?: number }).errno !== NO_SUCH_TABLE) {
    await thrownBy(users.drop()); // who may not create users may not drop them either
    throw error;
  }
  const unlock = ROLES.map((role) => `ALTER USER ${account(names[role])} IDENTIFIED BY '${password}' ACCOUNT UNLOCK`);
  await onServer(server, (connection) => connection.query(unlock.join(';')));
  return users;
}

const inEachRole = <T>(make: (role: Role) => T): Record<Role, T> =>
  Object.fromEntries(ROLES.map((role) => [role, make(role)])) as Record<Role, T>;

const account = (name: string): string => `'${name}'@'%'`;

const listAccounts = (names: Record<Role, string>): string => ROLES.map((role) => account(names[role])).join();

const rename = (sql: string, names: Record<Role, string>): string =>
  ROLES.reduce((text, role) => text.replaceAll(`'rowlock_${role}'`, `'${names[role]}'`), sql);

function findComment(role: Role, name: string): string {
  const comments = [...GRANTS.matchAll(/^-- GRANT [^;]*;$/gm)].map(([text]) => text.replaceAll(/^--/gm, ''));
  const found = comments.find((text) => text.includes(`'rowlock_${role}'`) && text.includes(name));
  if (found !== undefined) return found;
  throw new Error(`sql/grants.sql has no comment with a GRANT of ${name} to the ${role}`);
}

const thrownBy = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => new Error('sql/grants.sql came to its end where no table is'),
    (error: unknown) => error,
  );

async function onServer(server: URL, work: (connection: Connection) => Promise<unknown>): Promise<void> {
  const connection = await createConnection({ uri: server.href, multipleStatements: true });
  try {
    await work(connection);
  } catch (error) {
    throw explain(error);
  } finally {
    await connection.end();
  }
}

function explain(error: unknown): unknown {
  const { errno = 0, message } = error as { errno?: number; message: string };
  if (!DENIED.includes(errno)) return error;
  return new Error(
    'the tests run as users of their own: the user of ROWLOCK_TEST_DATABASE_URL needs ALL PRIVILEGES ON *.* ' +
      `WITH GRANT OPTION, on a server that is made for tests (${message})`,
    { cause: error },
  );
}
