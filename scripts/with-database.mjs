// node scripts/with-database.mjs -- COMMAND [ARG…]
//
// Runs a command with ROWLOCK_TEST_DATABASE_URL naming a database server on which it may create
// databases of its own, and ends with the command's exit code. Where that variable is not set already,
// the server is a private one that is gone, with its data, when the command has ended.
import { withDatabase } from './database/with-database.mjs';
import { Refusal, runScript } from './say.mjs';

const args = process.argv.slice(2);
const command = args[0] === '--' ? args.slice(1) : args;

await runScript(async () => {
  if (command.length === 0) throw new Refusal('usage: node scripts/with-database.mjs -- COMMAND [ARG…]');
  return withDatabase(command);
});
