// node scripts/own-server.mjs [SERVER-OPTION…]
//
// Starts one more server, for a test that changes what all sessions of a server feel: from the program of
// ROWLOCK_TEST_DATABASE_URL's own, else another one of its family, else any. Prints its URL, and ends it with all
// its data when the standard input ends: also when whoever started this is killed.
import { once } from 'node:events';
import { findGivenProgram } from './database/given-program.mjs';
import { findPrograms, startProgram } from './database/local-server.mjs';
import { Refusal, runScript } from './say.mjs';

await runScript(async () => {
  const given = await findGivenProgram(process.env['ROWLOCK_TEST_DATABASE_URL'] ?? '');
  const others = given.isHere ? [] : findPrograms();
  const program = given.isHere ? given : (others.find(({ isMariaDB }) => isMariaDB === given.isMariaDB) ?? others[0]);
  if (program === undefined) {
    throw new Refusal('this test starts a server of its own; install one (apt-get install mariadb-server-core)');
  }
  const server = await startProgram(program, process.argv.slice(2));
  if (server === undefined) throw new Refusal(`${program.path} does not start`);
  process.stdout.write(`${server.url}\n`);
  process.stdin.resume();
  await once(process.stdin, 'end');
  await server.stop();
  return 0;
});
