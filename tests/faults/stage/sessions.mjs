/** It has ended in between. */
const NO_SUCH_SESSION = 1094;

/** Whose sessions are ended: those of workers and of apps. */
const USERS = ['rowlock_worker', 'rowlock_producer'];

/** Of those that are ended, rather one that is at work just now. */
const BUSY_SHARE = 0.7;

/**
 * Ends one session of a worker or an app, or the statement that it is at, as a DBA does with KILL.
 *
 * @param {import('mysql2/promise').Connection} admin
 * @param {import('../seeded.mjs').Seeded} random
 * @param {{ whole: boolean, users?: readonly string[] }} what whole: the session, and not its statement alone
 * @returns {Promise<boolean>} false: there was none, or it has ended by itself
 */
export async function killSession(admin, random, { whole, users = USERS }) {
  const [all] = await admin.query('SHOW PROCESSLIST');
  const sessions = /** @type {{ Id: number, User: string, Command: string }[]} */ (all).filter(
    ({ User, Command }) => users.includes(User) && Command !== 'Killed',
  );
  // As many numbers of the seed's as ever, whoever is there just now.
  const wantsBusy = random.chance(BUSY_SHARE);
  const place = random.next();
  const busy = sessions.filter(({ Command }) => Command === 'Query');
  const among = busy.length > 0 && wantsBusy ? busy : sessions;
  const victim = among[Math.floor(place * among.length)];
  if (victim === undefined) return false;
  try {
    await admin.query(`KILL ${whole ? 'CONNECTION' : 'QUERY'} ${victim.Id}`);
    return true;
  } catch (error) {
    if (/** @type {{ errno?: number }} */ (error).errno !== NO_SUCH_SESSION) throw error;
    return false;
  }
}
