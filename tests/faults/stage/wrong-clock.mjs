import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasDebian, unpackDebian } from '../../../scripts/debian.mjs';

const LIBRARY = 'libfaketimeMT.so.1';

/** @type {string | undefined} */
let library;

/** Why no process can be given a wrong clock here; undefined: it can. */
export function lacksWrongClocks() {
  if (process.platform !== 'linux' || !hasDebian())
    return 'libfaketime is a Debian package, and there is no apt-get here';
  try {
    findLibrary();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function findLibrary() {
  library ??= readdirSync(unpackDebian(['libfaketime']), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(`/${LIBRARY}`))
    .map((name) => join(unpackDebian(['libfaketime']), name))[0];
  if (library === undefined) throw new Error(`the Debian package libfaketime has no ${LIBRARY}`);
  return library;
}

/**
 * The clock of one process and of all that it starts, by libfaketime: so many seconds off, and changed while they run. The
 * steady clock is left alone, as that of a machine is whose time somebody sets.
 */
export class WrongClock {
  #file;

  /**
   * @param {string} file of its own
   * @param {number} [offsetSeconds]
   */
  constructor(file, offsetSeconds = 0) {
    this.#file = file;
    this.set(offsetSeconds);
  }

  /** For a process that is to have this clock. @returns {NodeJS.ProcessEnv} */
  get env() {
    return {
      LD_PRELOAD: findLibrary(),
      FAKETIME_TIMESTAMP_FILE: this.#file,
      // It would believe the file for ten seconds.
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      // With the mend for an old glibc MySQL 9 does not start, and waits of MariaDB by the steady clock end at odd times.
      FAKETIME_FORCE_MONOTONIC_FIX: '0',
    };
  }

  /** @param {number} offsetSeconds from the true time; it counts at once */
  set(offsetSeconds) {
    const next = `${this.#file}.next`;
    const sign = offsetSeconds < 0 ? '-' : '+';
    writeFileSync(next, `${sign}${Math.abs(offsetSeconds).toFixed(3)}\n`);
    // Whole at any moment: an empty file is the true time.
    renameSync(next, this.#file);
  }

  /** @param {Date} time that it is to show now */
  show(time) {
    this.set((time.getTime() - Date.now()) / 1000);
  }
}
