import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Whether this machine can make certificates. */
export const hasOpenssl = () => spawnSync('openssl', ['version'], { stdio: 'ignore' }).status === 0;

/**
 * A server's certificate, its key and who signed it, as files.
 * @typedef {{ cert: string, key: string, ca: string }} Certificate
 */

/** A CA of the test's own, that signs what it is asked to. */
export class Authority {
  #folder;
  #name;
  #count = 0;

  /**
   * @param {string} folder for its files
   * @param {string} name
   */
  constructor(folder, name) {
    this.#folder = folder;
    this.#name = name;
    const subject = ['-subj', `/CN=${name}`, '-addext', 'basicConstraints=critical,CA:TRUE', '-days', '30'];
    this.#openssl(['req', '-x509', ...KEY, '-keyout', this.#path('ca.key'), '-out', this.file, ...subject]);
  }

  /** Its own certificate, in PEM. */
  get file() {
    return this.#path('ca.pem');
  }

  /**
   * @param {string[]} names that the certificate is for: `DNS:localhost`, `IP:127.0.0.1`
   * @param {{ days?: number }} [options] days that it holds; -1: it has expired
   * @returns {Certificate}
   */
  sign(names, { days = 30 } = {}) {
    const at = (/** @type {string} */ end) => this.#path(`${this.#count}.${end}`);
    this.#count++;
    this.#openssl(['req', ...KEY, '-keyout', at('key'), '-out', at('csr'), '-subj', '/CN=a server']);
    writeFileSync(at('ext'), `subjectAltName=${names.join()}\n`);
    const by = ['-CA', this.file, '-CAkey', this.#path('ca.key'), '-set_serial', String(this.#count)];
    this.#openssl([
      'x509',
      '-req',
      '-in',
      at('csr'),
      ...by,
      '-days',
      String(days),
      '-extfile',
      at('ext'),
      '-out',
      at('pem'),
    ]);
    return { cert: at('pem'), key: at('key'), ca: this.file };
  }

  /** @param {string} end */
  #path(end) {
    return join(this.#folder, `${this.#name}-${end}`);
  }

  /** @param {string[]} args */
  #openssl(args) {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  }
}
