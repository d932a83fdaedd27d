// npm run prove [-- NAME…]
//
// Shows on a real server, and at full size, what a shipped job type promises: each file of scripts/prove is one such
// proof. It prints what it counted, and ends with 1 if that is not what was promised. The tests hold smaller forms.
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { withDatabase } from './database/with-database.mjs';
import { requireKnown } from './options.mjs';
import { prepare } from './prepare.mjs';
import { PROJECT } from './project.mjs';
import { runScript, say } from './say.mjs';

const FOLDER = join(PROJECT, 'scripts', 'prove');
const known = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.mjs'))
  .map(({ name }) => basename(name, '.mjs'));

await runScript(async () => {
  const names = process.argv.length > 2 ? process.argv.slice(2) : known;
  requireKnown('proof', names, known);
  await prepare();
  const failed = [];
  for (const name of names) {
    say(`proving ${name}`);
    if ((await withDatabase([process.execPath, join(FOLDER, `${name}.mjs`)])) !== 0) failed.push(name);
  }
  if (failed.length > 0) say(`failed: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
});
