import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { hasDebian, unpackDebian } from './support/debian';

const ROOT = join(__dirname, '..');

const whereDebianIs = hasDebian ? describe : describe.skip;
if (!hasDebian) process.stderr.write('rowlock: the alerts are not tested here; that takes the packages of Debian\n');

whereDebianIs('deploy/alerts.yml', () => {
  let promtool: string;

  beforeAll(() => {
    promtool = join(unpackDebian('prometheus'), 'usr', 'bin', 'promtool');
  }, 120_000);

  test('promtool finds no fault in the rules', () => {
    const told = execFileSync(promtool, ['check', 'rules', '--lint-fatal', 'deploy/alerts.yml'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect(told).toContain('SUCCESS: 8 rules found');
  });

  test('each alert fires when it should, and only then', () => {
    const { status, stdout, stderr } = spawnSync(promtool, ['test', 'rules', 'tests/fixtures/alerts_test.yml'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect({ status, told: `${stdout}${stderr}` }).toEqual({ status: 0, told: expect.stringContaining('SUCCESS') });
  });
});
