import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { waitCommand } from '../src/commands/wait';
import { UnreachableError } from '../src/errors';
import { endGroup } from '../src/worker/process-group';
import { settingsFor } from './support/tables';

// Each look at the clock finds it an hour further back: what waits for it to pass a time would wait for ever.
beforeEach(() => {
  let now = Date.now();
  jest.spyOn(Date, 'now').mockImplementation(() => {
    now -= 3_600_000;
    return now;
  });
});

afterEach(() => jest.restoreAllMocks());

test('a program that ignores SIGTERM is ended in its time', async () => {
  const child = spawn('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 1; done'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  await endGroup(child.pid ?? 0, 200);
  expect(await ended).toEqual([null, 'SIGKILL']);
});

test('rowlock wait gives up in its time', async () => {
  // The discard port: nobody listens there.
  const settings = settingsFor('mysql://nobody:nothing@127.0.0.1:9/none');
  await expect(waitCommand(settings, { timeout: '200ms' })).rejects.toBeInstanceOf(UnreachableError);
});
