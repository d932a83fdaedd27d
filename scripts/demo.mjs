// npm run demo
//
// Installs what is missing, builds, brings up a throwaway database server, and shows one run of Rowlock
// on it. Nothing of it stays, except the installed packages.
import { withDatabase } from './database/with-database.mjs';
import { prepare } from './prepare.mjs';
import { runScript } from './say.mjs';

await runScript(async () => {
  await prepare();
  return withDatabase([process.execPath, 'scripts/demo/show.mjs']);
});
