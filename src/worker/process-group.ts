import { setTimeout as pause } from 'node:timers/promises';
import { codeOf } from '../errors';

const POLL_MS = 50;

/** Signals every process of a group. False: there is none left. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
    // Somebody is there who has become another user: not ours to end, but not gone either.
    if (codeOf(error) === 'EPERM') return true;
    throw error;
  }
}

/** Asks a group to end, and ends what is left of it after `killAfterMs`. */
export async function endGroup(pid: number, killAfterMs: number): Promise<void> {
  const deadline = performance.now() + killAfterMs;
  signalGroup(pid, 'SIGTERM');
  while (signalGroup(pid, 0)) {
    if (performance.now() >= deadline) {
      signalGroup(pid, 'SIGKILL');
      return;
    }
    await pause(Math.min(POLL_MS, Math.max(1, deadline - performance.now())));
  }
}

const running = new Set<number>();
let watching = false;

/**
 * Ends the group when this process exits: its job will be run again, and must not run twice at once.
 *
 * @returns stops that
 */
export function endGroupOnExit(pid: number): () => void {
  if (!watching) process.on('exit', endAll);
  watching = true;
  running.add(pid);
  return () => {
    running.delete(pid);
  };
}

function endAll(): void {
  for (const pid of running) signalGroup(pid, 'SIGKILL');
}
