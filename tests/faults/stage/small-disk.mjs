import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const CHUNK = Buffer.alloc(64 * 1024);

/** Why none can be made here; undefined: it can. To mount is for the user root of Linux. */
export function whyNoSmallDisk() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'to mount a small disk takes root on Linux';
  const { status } = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
  return status === 0 ? undefined : 'nothing can be mounted here';
}

/** A disk of a few megabytes, mounted on a folder: it can be filled to its last byte, and made empty again. */
export class SmallDisk {
  #folder;

  /**
   * @param {string} folder that is there, and has nothing in it
   * @param {number} megabytes
   */
  constructor(folder, megabytes) {
    this.#folder = folder;
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'tmpfs', folder]);
  }

  get freeBytes() {
    const { bavail, bsize } = statfsSync(this.#folder);
    return bavail * bsize;
  }

  /**
   * Fills it but for so much.
   *
   * @param {number} [leftBytes]
   */
  fill(leftBytes = 0) {
    const file = openSync(this.#ballast, 'a', 0o600);
    try {
      while (this.freeBytes > leftBytes) {
        writeSync(file, CHUNK, 0, Math.min(CHUNK.length, this.freeBytes - leftBytes));
      }
    } catch (error) {
      // Somebody else was faster with the last of it.
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  /** Makes room again. */
  free() {
    rmSync(this.#ballast, { force: true });
  }

  /** Takes it away, with all that is on it: no process may have a file open there. */
  unmount() {
    execFileSync('umount', [this.#folder]);
  }

  get #ballast() {
    return join(this.#folder, 'ballast');
  }
}
