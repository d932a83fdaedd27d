import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasDebian, unpackDebian } from './debian';
import { hasNamespaces, OWN_PROCESSES } from './namespaces';
import { until } from './until';

/** Whether Debian's cron can run here without the machine's own seeing it: that takes root on a Debian Linux. */
export const hasRealCron = hasNamespaces && hasDebian;

/** A real cron daemon. Ended at the end of the file at the latest. */
export interface Cron {
  /** The mails that it has sent so far. */
  mails(): string[];
  /** Ends it, once all that it has started has ended and its mail is sent. */
  stop(): Promise<void>;
}

/**
 * The files that cron reads and writes are hidden under others, for these processes alone: no crontab of the
 * machine is run or touched, and a cron that runs on it is not met. Whoever waits for the standard input
 * ends with the test, and all that it has started with it.
 */
const HIDE = `
set -eu
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/spool
mkdir -p /var/spool/cron/crontabs /run/pam.d
: > /run/empty
if [ -e /etc/crontab ]; then mount --bind /run/empty /etc/crontab; fi
if [ -d /etc/cron.d ]; then mount -t tmpfs tmpfs /etc/cron.d; fi
cp /etc/pam.d/* /run/pam.d/
sed '/pam_loginuid/s/required/optional/' "$ROOT/etc/pam.d/cron" > /run/pam.d/cron   # containers keep no audit log
mount --bind /run/pam.d /etc/pam.d
mount -t tmpfs tmpfs /usr/sbin
cp "$FOLDER/sendmail" /usr/sbin/sendmail
crontab() { "$ROOT/usr/bin/crontab" "$@"; }
`;

const SERVE = `
"$ROOT/usr/sbin/cron" -f &
daemon=$!
echo ready
read -r _ || true
kill "$daemon"
while grep -qsx cron /proc/[0-9]*/comm; do sleep 0.1; done
`;

const folders: string[] = [];
const daemons = new Set<Cron>();

afterAll(async () => {
  for (const daemon of daemons) await daemon.stop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Where {@link HIDE} is in force. */
function enter(script: string) {
  const folder = mkdtempSync(join(tmpdir(), 'rowlock-cron-'));
  folders.push(folder);
  const mails = join(folder, 'mails');
  mkdirSync(mails, { mode: 0o777 });
  writeFileSync(
    join(folder, 'sendmail'),
    `#!/bin/sh\ncat > '${mails}'/$$.part && mv '${mails}'/$$.part '${mails}'/$$\n`,
  );
  chmodSync(join(folder, 'sendmail'), 0o755);
  const child = spawn('unshare', [...OWN_PROCESSES, 'sh', '-c', HIDE + script], {
    env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', FOLDER: folder, ROOT: unpackDebian('cron') },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, mails, ended, said: () => said };
}

/** Starts cron with this crontab, which its own `crontab` has accepted. */
export async function startCron(crontab: string): Promise<Cron> {
  const { child, mails, ended, said } = enter(`printf %s ${quote(crontab)} | crontab -\n${SERVE}`);
  let stopped: Promise<void> | undefined;
  const cron: Cron = {
    mails: () =>
      readdirSync(mails)
        .filter((name) => !name.endsWith('.part'))
        .map((name) => readFileSync(join(mails, name), 'utf8')),
    stop() {
      child.stdin.end();
      stopped ??= ended.then(() => {
        daemons.delete(cron);
      });
      return stopped;
    },
  };
  daemons.add(cron);
  let code: number | null | undefined;
  void ended.then((endedWith) => {
    code = endedWith;
  });
  await until(() => said().includes('ready') || code !== undefined, 'cron has started');
  if (code !== undefined) throw new Error(`cron did not start (${code}): ${said()}`);
  return cron;
}

/** What Debian's `crontab` says of the syntax of a crontab. */
export async function checkCrontab(crontab: string): Promise<{ code: number | null; said: string }> {
  const { child, ended, said } = enter(`printf %s ${quote(crontab)} > /run/checked\ncrontab -n /run/checked`);
  child.stdin.end();
  return { code: await ended, said: said() };
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
