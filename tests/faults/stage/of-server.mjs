/**
 * True if the server or the connection to it has raised this, and not the harness. mysql2 gives no code to what it says
 * of a connection that has gone, and marks it as fatal.
 *
 * @param {unknown} error
 */
export function isOfServer(error) {
  const { code, fatal } = /** @type {{ code?: string, fatal?: boolean }} */ (error);
  return code !== undefined || fatal === true;
}
