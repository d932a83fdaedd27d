import { spawnSync } from 'node:child_process';

/** For a process that is to be the first of its own, and to see no other. It ends when `unshare` does. */
export const OWN_PROCESSES = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

/** Whether processes can be kept apart from this machine's here: that takes root on Linux. */
export const hasNamespaces =
  process.platform === 'linux' &&
  process.getuid?.() === 0 &&
  spawnSync('unshare', [...OWN_PROCESSES, 'true'], { stdio: 'ignore' }).status === 0;
