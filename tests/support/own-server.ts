import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const SCRIPT = join(__dirname, '..', '..', 'scripts', 'own-server.mjs');

const open = new Set<ChildProcess>();

afterAll(async () => {
  for (const child of open) {
    const ended = once(child, 'exit');
    child.stdin?.end();
    await ended;
  }
}, 60_000);

/**
 * Starts a server for this test file alone, of the family that the tests run on, so that a global setting may be
 * changed with nobody else feeling it. It ends with the file, also when the file dies.
 *
 * @param timeZone of its machine, as it believes
 * @returns its URL, as a user who may do everything
 */
export async function startOwnServer(options: string[], timeZone: string): Promise<string> {
  const child = spawn(process.execPath, [SCRIPT, ...options], {
    env: { ...process.env, TZ: timeZone },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  open.add(child);
  child.on('exit', () => open.delete(child));
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error('no server of its own could be started; its reason is above');
}
