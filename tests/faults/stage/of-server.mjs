/** What the server says while it ends, refuses, is out of room, or has somebody wait: it may soon say something else. */
const ERRNOS = new Set([
  1205, // lock wait timeout
  1213, // deadlock
  1020, // record has changed since last read
  1290, // read-only option
  1836, // read-only mode
  1040, // too many connections
  1203, // too many connections of this user
  1226, // the same, by a limit of this account
  3, // a temporary file could not be written
  1021, // disk full
  1026, // the same, MariaDB's own
  1030, // error of the storage engine
  1114, // table full
  1180, // error during COMMIT
  1598, // the binary log cannot be written: MySQL ends itself
  1053, // server shutdown in progress
  1153, // larger than max_allowed_packet
  1158, // error reading from the network
  1159, // timeout reading from the network
  1160, // error writing to the network
  1161, // timeout writing to the network
  1184, // aborted connection
  1317, // query interrupted
  1927, // connection was killed
  3169, // session was killed
  4031, // disconnected for its silence
]);

/**
 * True if the server or the connection to it has raised this, and not the harness: a statement that the server does not
 * understand would be asked for ever. mysql2 marks what it says of a connection that has gone as fatal.
 *
 * @param {unknown} error
 */
export function isOfServer(error) {
  const { errno = 0, fatal, code } = /** @type {{ errno?: number, fatal?: boolean, code?: string }} */ (error);
  return fatal === true || code === 'PROTOCOL_CONNECTION_LOST' || ERRNOS.has(errno);
}
