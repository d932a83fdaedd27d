import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BadLine, BadLines } from '../src/jobs/csv-bad-lines';

const folder = mkdtempSync(join(tmpdir(), 'rowlock-bad-lines-'));
afterAll(() => rmSync(folder, { recursive: true }));

const MODULE = join(__dirname, '..', 'dist', 'jobs', 'csv-bad-lines.js');
const LINE: BadLine = { line: 2, reason: 'too long', text: 'y'.repeat(3_000) };

test('where the disk or a limit ends in the middle of the lines, they are not said to be written', () => {
  const script = `
    const { BadLines } = require(${JSON.stringify(MODULE)});
    new BadLines(${JSON.stringify(join(folder, 'limited.csv'))}, 7)
      .write(0, [${JSON.stringify(LINE)}])
      .then((length) => console.log('says ' + length), (error) => console.log(error.message));
  `;
  const { stdout } = spawnSync('sh', ['-c', 'ulimit -f 1; exec "$0" -e "$1"', process.execPath, script], {
    encoding: 'utf8',
  });
  expect(stdout).toBe(
    'the bad lines cannot be written to limited.csv.bad-7.csv in the folder of the file (EFBIG): the file is too large for the disk or the limit of the worker\n',
  );
});

test.each([
  ['as long as a name may be', 'x'.repeat(251), 255],
  ['cut between two of its characters', 'ä'.repeat(125), 254],
])('a file whose name is %s has a side file all the same', async (_, name, bytes) => {
  const bad = new BadLines(join(folder, `${name}.csv`), 12_345);
  const length = await bad.write(0, [LINE]);
  await bad.close();
  expect(bad.name).toMatch(/^(x+|ä+)\.bad-12345\.csv$/);
  expect(Buffer.byteLength(bad.name)).toBe(bytes);
  expect(statSync(bad.path).size).toBe(length);
  expect(readFileSync(bad.path, 'utf8')).toContain(LINE.text);
});
