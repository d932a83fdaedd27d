import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDatabase } from './support/database';
import { rowlock } from './support/rowlock';
import { openWorkshop } from './support/workshop';

const CLI = join(__dirname, '..', 'dist', 'cli.js');

/** The library's errors, and what they need. */
const SHARED = ['dist/errors.js', 'dist/duration.js', 'node_modules/ms/index.js', 'dist/harmless.js'].map((file) =>
  join(__dirname, '..', file),
);

const TELL_LOADED = join(__dirname, 'fixtures', 'tell-loaded.js');

// To find and read 200 files was most of what a run cost that finds nothing.
test('a run that finds nothing loads one file, and the errors that it shares with the library', async () => {
  const { url } = await createDatabase();
  const { stdout } = await rowlock(['run'], { env: { DATABASE_URL: url, NODE_OPTIONS: `--require=${TELL_LOADED}` } });
  expect(JSON.parse(stdout)).toEqual([TELL_LOADED, CLI, ...SHARED]);
});

test('a job function that has the library beside it knows the errors of ctx by their class', async () => {
  const shop = await openWorkshop('library-jobs.js');
  const id = await shop.add('twice');
  expect(await shop.run()).toMatchObject({ code: 0, stderr: '' });
  expect(await shop.job(id)).toMatchObject({ status: 'completed', result: 'true' });
});

test('it has no second copy of the errors', () => {
  expect(readFileSync(CLI, 'utf8')).not.toContain('class RowlockError');
});

test('an error tells where it was thrown, by name', async () => {
  const { stderr, code } = await rowlock(['run'], { env: { LOG_LEVEL: 'debug' } });
  expect(code).toBe(78);
  expect(stderr).toMatch(/at requireDatabase \(.*dist\/cli\.js:\d+:\d+\)/);
});

test('it holds the terms of each package that is in it', () => {
  const bundle = readFileSync(CLI, 'utf8');
  const names = [...bundle.matchAll(/^\/\/ node_modules\/((?:@[^/]+\/)?[^/]+)\//gm)].map(([, name]) => name ?? '');
  const packages = [...new Set(names)].sort();
  expect(packages).toEqual(expect.arrayContaining(['commander', 'dotenv', 'ms', 'mysql2']));
  const terms = bundle.slice(bundle.indexOf('This file contains:')).split('\n---\n');
  expect(terms.map((text) => /^(\S+) \d+\.\d+\.\d+$/m.exec(text)?.[1]).sort()).toEqual(packages);
  for (const text of terms) expect(text).toMatch(/Copyright|Permission/);
});
