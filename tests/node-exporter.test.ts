import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasDebian, unpackDebian } from './support/debian';
import { readSamples } from './support/prometheus';
import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

const whereDebianIs = hasDebian ? describe : describe.skip;
if (!hasDebian) process.stderr.write('rowlock: node_exporter reads no file here; that takes the packages of Debian\n');

whereDebianIs('node_exporter', () => {
  let shop: Workshop;
  let folder: string;
  let exporter: ChildProcess;
  let port: number;

  const program = () => join(unpackDebian('prometheus-node-exporter'), 'usr', 'bin', 'prometheus-node-exporter');

  beforeAll(async () => {
    shop = await openWorkshop('run-jobs.js');
    folder = mkdtempSync(join(tmpdir(), 'rowlock-metrics-'));
    port = await findFreePort();
    exporter = spawn(
      program(),
      [
        '--collector.disable-defaults',
        '--collector.textfile',
        `--collector.textfile.directory=${folder}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
  }, 120_000);

  afterAll(async () => {
    const ended = new Promise((resolve) => exporter.on('exit', resolve));
    exporter.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });

  const fileAt = (name: string) => join(folder, name);

  const scrape = (): Promise<string> =>
    until(async () => {
      try {
        return await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      } catch {
        return undefined; // it has not opened its port yet
      }
    }, 'node_exporter answers');

  test('serves the files of two runs that serve different queues, and finds no fault', async () => {
    await shop.add('echo');
    await shop.add('fail', 'no luck', { queue: 'mail', max_attempts: 1 });
    await shop.run(['--metrics-file', fileAt('rowlock.prom')]);
    await shop.run(['--queue', 'mail', '--metrics-file', fileAt('rowlock-mail.prom')]);
    const served = readSamples(await scrape(), []);
    const name = shop.db.name;
    expect(served).toMatchObject({
      node_textfile_scrape_error: 0,
      [`rowlock_jobs{database="${name}",queue="default",status="completed"}`]: 1,
      [`rowlock_dead_letters{database="${name}",queue="mail"}`]: 1,
      [`rowlock_last_run_exit_code{database="${name}"}`]: 0,
      [`rowlock_last_run_claimed{database="${name}"}`]: 2,
      [`rowlock_last_run_claimed{database="${name}",selection="queues mail"}`]: 0,
      [`node_textfile_mtime_seconds{file="${fileAt('rowlock.prom')}"}`]: expect.any(Number),
      [`node_textfile_mtime_seconds{file="${fileAt('rowlock-mail.prom')}"}`]: expect.any(Number),
    });
  });
});

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
