import { spawn } from 'node:child_process';
import { until } from './until';

/** A shell at a terminal of its own, with somebody who types. */
export interface Terminal {
  /** Types keys: `\t` is TAB, `\n` is Enter. */
  type(keys: string): void;
  /** Waits until the terminal shows this after what was typed last. */
  shows(text: string): Promise<void>;
  close(): Promise<void>;
}

const open = new Set<Terminal>();

afterAll(async () => {
  for (const terminal of open) await terminal.close();
});

/** Starts a command at a pseudo-terminal, by the `script` of util-linux. */
export function openTerminal(command: string, env: Record<string, string>, cwd: string): Terminal {
  const child = spawn('script', ['-qec', command, '/dev/null'], { env: { TERM: 'xterm', ...env }, cwd });
  let seen = '';
  let from = 0;
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
    });
  const ended = new Promise((resolve) => child.on('close', resolve));
  const terminal: Terminal = {
    type(keys) {
      from = seen.length;
      child.stdin.write(keys);
    },
    async shows(text) {
      try {
        await until(() => seen.includes(text, from), `the terminal shows ${text}`);
      } catch (error) {
        throw new Error(`${String(error)}; it shows:\n${seen.slice(-2_000)}`, { cause: error });
      }
    },
    async close() {
      if (!open.delete(terminal)) return;
      // With its terminal gone, the shell gets SIGHUP.
      child.kill('SIGKILL');
      await ended;
    },
  };
  open.add(terminal);
  return terminal;
}
