import { ConfigError, codeOf, messageOf, oneLine, RowlockError, UnreachableError } from '../errors';

/** A lock conflict: the server undid the transaction, or one statement of it; the whole may be tried again. */
const CONFLICTS = new Set([
  1205, // lock wait timeout
  1213, // deadlock
  1020, // record has changed since last read: MariaDB >= 11.6 with snapshot isolation
]);

const CLUSTER = 'is not ready; see to its cluster';
const READ_ONLY = 'takes no writes; end that, or correct DATABASE_URL';
const NO_CONNECTION = 'has no connection free; raise its max_connections, or start fewer runs';
const NO_ROOM = 'has no room; make some on its disk';
const NO_MEMORY = 'has no memory free; give its machine more, or the server less';

/** The server cannot do it just now, and may at any moment: each with what it is, and its mend. */
const BUSY: Record<number, string> = {
  3101: CLUSTER, // group replication rolled the transaction back
  1047: CLUSTER, // Galera: node not prepared
  1290: READ_ONLY, // read-only option
  1836: READ_ONLY, // read-only mode
  1040: NO_CONNECTION, // too many connections
  1203: NO_CONNECTION, // too many connections of this user
  1226: NO_CONNECTION, // the same, by a limit of this very account
  1637: 'has too many transactions open; end those that hang', // of its undo log
  1180: 'could not commit; see its log', // undone
  5: NO_MEMORY,
  1037: NO_MEMORY,
  1041: NO_MEMORY,
  1135: NO_MEMORY, // no thread for a connection
  3: NO_ROOM, // a temporary file could not be written
  1021: NO_ROOM, // the disk is full
  1026: NO_ROOM, // a temporary file could not be written, MariaDB's own
  1114: NO_ROOM, // the table is full: InnoDB can make it no larger
};

/** The server ended the session, and said so before it closed the connection. */
const SESSION_ENDED = new Set([
  1053, // server shutdown in progress
  1077,
  1079,
  1080, // normal shutdown
  1152,
  1153,
  1154,
  1155,
  1156,
  1157,
  1158,
  1159,
  1160,
  1161,
  1184, // aborted connection, broken packets
  1317, // query interrupted
  1598, // MySQL cannot write its binary log, and ends itself: what became of the COMMIT is not known
  1927, // MariaDB: connection was killed
  2006,
  2013, // server has gone away, lost connection
  3169, // MySQL: session was killed
  4031, // MySQL: disconnected after wait_timeout
]);

/** What the driver itself finds out about a connection, with or without marking it as fatal. */
const PROTOCOL = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'PROTOCOL_PACKETS_OUT_OF_ORDER',
  'HANDSHAKE_NO_SSL_SUPPORT_RESET',
]);

const errnoOf = (error: unknown): number | undefined => {
  if (typeof error !== 'object' || error === null || !('errno' in error)) return undefined;
  return typeof error.errno === 'number' ? error.errno : undefined;
};

/** True if the server's own error number is one of these. */
export const isServerError = (error: unknown, ...numbers: number[]): boolean => numbers.includes(errnoOf(error) ?? -1);

export const isConflict = (error: unknown): boolean => CONFLICTS.has(errnoOf(error) ?? 0);

/** True if the disk of the server is full, or a table can grow no further. The statement alone is undone. */
export const isFull = (error: unknown): boolean => BUSY[errnoOf(error) ?? 0] === NO_ROOM;

/** True if the statement is larger than max_allowed_packet: the server ends the session for it, and would so again. */
export const isTooLarge = (error: unknown): boolean => isServerError(error, 1153);

/** True if a lock stayed another transaction's for as long as the session waits. */
export const isLockWaitTimeout = (error: unknown): boolean => isServerError(error, 1205);

export const isDuplicate = (error: unknown): boolean => isServerError(error, 1062);

/** True if a foreign key of another table keeps the row; 1217 where this user may not know which. */
export const isReferred = (error: unknown): boolean => isServerError(error, 1217, 1451);

/** True if the server refuses a JSON document: not valid, or nested too deep; MariaDB says so by a CHECK. */
export const isJsonRefused = (error: unknown): boolean => isServerError(error, 3140, 3141, 3157, 4025);

/** mysql2's codes for a server that offers no TLS, and for all that goes wrong in its handshake. */
const NO_TLS = 'HANDSHAKE_NO_SSL_SUPPORT';
const TLS_FAILED = 'HANDSHAKE_SSL_ERROR';

/** MySQL; MariaDB refuses the login (1045), and so do both where it is the user that has to come with TLS. */
const TLS_REQUIRED = 3159;

/** True if the server and this side do not agree on TLS: it has none, or its certificate is not to be trusted. */
function isTlsRefused(error: object): boolean {
  if (codeOf(error) === NO_TLS) return true;
  // Node's error for a connection that broke meanwhile has one of these; that for a certificate has neither.
  return codeOf(error) === TLS_FAILED && !('syscall' in error) && !('localAddress' in error);
}

/** True if the connection is of no more use, whatever became of the statement. */
export function isConnectionLost(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || isTlsRefused(error)) return false;
  if (SESSION_ENDED.has(errnoOf(error) ?? 0) || PROTOCOL.has(codeOf(error) ?? '')) return true;
  // mysql2 marks what it raises on a connection that has gone with `fatal`, often without a code. A socket's
  // code alone says nothing: a job's own file or web server may have raised it.
  return 'fatal' in error && error.fatal === true && !('sqlState' in error && isRefusal(error));
}

/** True if the server got the time that a statement has, and did not answer. */
export const isSilence = (error: unknown): boolean => codeOf(error) === 'PROTOCOL_SEQUENCE_TIMEOUT';

/** True if the same transaction may succeed when it is tried again from its start. */
export const isTransient = (error: unknown): boolean =>
  isConflict(error) || (errnoOf(error) ?? 0) in BUSY || (isConnectionLost(error) && !isTooLarge(error));

/** What a server says to a login. Of a statement it says 1045 only where that reads or writes a file of its own. */
const LOGIN_REFUSED = [
  1045, // the user, or the password
  1698, // the same, MariaDB
  1130, // the host
  1251, // the driver does not speak its way to log in
  1862, // the password has expired
  3118, // MySQL: the account is locked
  4151, // MariaDB: the same
  TLS_REQUIRED,
];

/**
 * True if no new session is let in: the password or the certificate has changed, the user is locked. It says nothing of a
 * statement, and sessions that are open go on. By number: the driver marks only some of these as fatal.
 */
export const isLoginRefused = (error: unknown): boolean =>
  isServerError(error, ...LOGIN_REFUSED) || (typeof error === 'object' && error !== null && isTlsRefused(error));

/** True if the server answered the login with a no: waiting does not help. */
function isRefusal(error: unknown): boolean {
  return isServerError(error, ...Object.keys(REFUSALS).map(Number));
}

const OTHER_USER = 'or connect as another: sql/grants.sql has one for each kind of work';

/** As sql/grants.sql leaves each user that it makes. */
const LOCKED = 'give this user a password: ALTER USER … IDENTIFIED BY … ACCOUNT UNLOCK';

/** What the server refuses until somebody changes something, each with its mend. */
const REFUSALS: Record<number, string> = {
  1044: 'this user may not use this database: GRANT it, or correct DATABASE_URL',
  1045: 'the user or password is wrong: correct DATABASE_URL',
  1698: 'the user or password is wrong: correct DATABASE_URL',
  1049: 'create the database, or correct DATABASE_URL',
  1130: 'the server takes no connection from this host: GRANT the user @ this host',
  1153: 'raise max_allowed_packet of the server',
  1142: `GRANT the privilege to the user of DATABASE_URL, ${OTHER_USER}`,
  1143: `GRANT the privilege on this column to the user of DATABASE_URL, ${OTHER_USER}`,
  1227: 'GRANT the privilege to the user of DATABASE_URL',
  1251: 'the server wants an authentication that the driver lacks',
  1419: 'GRANT the privilege to the user of DATABASE_URL',
  [TLS_REQUIRED]: 'add ?ssl-ca=/path/of/the/ca.pem to DATABASE_URL',
  3118: LOCKED, // MySQL
  4151: LOCKED, // MariaDB
};

/** True if this user lacks a privilege for the statement, on the table, a column or the server. */
export const isDenied = (error: unknown): boolean => isServerError(error, 1044, 1142, 1143, 1227);

/** True if the server takes no writes, this one or any: it is read-only, or logs statements in READ COMMITTED. */
export const isWriteRefused = (error: unknown): boolean => isServerError(error, 1290, 1665, 1836);

/** What is said of a row, and has no SQLSTATE that says so. */
const ROW_REFUSED = [
  1265, // a value that an ENUM or SET does not have, or with more than a number
  1364, // a trigger, or DEFAULT of a column that has none
  1366, // a value of another type
  1526, // no partition for it
  3819, // MySQL: a CHECK
];

/** True if the server refuses a row for what is in it: a value that does not fit, a key that is taken, a CHECK, a SIGNAL of a trigger. */
export function isRowRefused(error: unknown): boolean {
  if (isServerError(error, ...ROW_REFUSED)) return true;
  const { sqlState } = error as { sqlState?: unknown };
  return typeof sqlState === 'string' && /^(22|23|45)/.test(sqlState) && !isTransient(error);
}

/** True if the server does not know the words of the statement. */
export const isSyntaxError = (error: unknown): boolean => isServerError(error, 1064);

/** True if FORCE INDEX names an index that is not there. */
export const isMissingIndex = (error: unknown): boolean => isServerError(error, 1176);

/** True if the server says that a table or a column that Rowlock needs is not there. */
export const isMissingTable = (error: unknown): boolean => isServerError(error, 1146, 1054);

/** Takes the statement off a driver's error, which keeps it in a property of its own: there are payloads in it. */
export function withoutStatement(error: unknown): unknown {
  if (typeof error === 'object' && error !== null && 'sql' in error) Reflect.deleteProperty(error, 'sql');
  return error;
}

/** A driver's error as one line with its mend; one that is of Rowlock's own kind, or unknown, is left as it is. */
export function explain(error: unknown, server: string): unknown {
  if (error instanceof RowlockError) return error;
  const mend = REFUSALS[errnoOf(error) ?? 0];
  if (mend !== undefined) return new ConfigError(`${serverSaid(error)}; ${mend}`, { cause: error });
  if (isMissingTable(error)) {
    return new ConfigError(`${serverSaid(error)}; run rowlock migrate`, { cause: error });
  }
  if (typeof error === 'object' && error !== null && isTlsRefused(error)) {
    return new ConfigError(`the database server at ${server} ${sayTlsRefusal(error)}`, { cause: error });
  }
  if (isConflict(error)) {
    return new UnreachableError(
      `the database server at ${server} has kept rows locked for too long (${codeOf(error)}); end the transaction that holds them, which rowlock doctor names; the next run goes on`,
      { cause: error },
    );
  }
  const busy = BUSY[errnoOf(error) ?? 0];
  if (isConnectionLost(error) || busy !== undefined) {
    const [is, how] = (busy ?? 'does not answer; start it, or correct DATABASE_URL').split('; ');
    const why = codeOf(error) ?? messageOf(error);
    return new UnreachableError(`the database server at ${server} ${is} (${why}); ${how}`, { cause: error });
  }
  return error;
}

function sayTlsRefusal(error: object): string {
  if (codeOf(error) === NO_TLS) return 'offers no TLS, which DATABASE_URL asks for; set it up there, or leave out ssl';
  const why = oneLine(messageOf(error));
  // The reason is Node's: the names that the certificate is for.
  return 'cert' in error
    ? `shows a certificate for another host (${why}); name the host in DATABASE_URL as the certificate does, or add ssl-verify=ca where the CA of ssl-ca signs for no other server`
    : `cannot be trusted (${why}); have ssl-ca in DATABASE_URL name the CA that signed its certificate, or renew that`;
}

const serverSaid = (error: unknown): string => {
  const said = (error as { sqlMessage?: unknown }).sqlMessage;
  return typeof said === 'string' ? said : messageOf(error);
};
