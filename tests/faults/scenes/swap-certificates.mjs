import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { installPackages } from '../../../scripts/packages.mjs';
import { Authority, hasOpenssl } from '../stage/certificates.mjs';
import { Late, until } from '../stage/until.mjs';

/** Runs that are refused end at once, and others are started: a few of them are waited for. */
const REFUSED_AT_LEAST = 2;

const DEADLINE_MS = 60_000;

/** Configuration, by sysexits.h: somebody has to mend something. */
const CONFIG = 78;

/** A run whose heartbeat had no session yet cannot renew its short lease while none is let in. */
const LEASE_LOST = 75;

/** What a run that is refused says, on one line. */
const REFUSAL =
  /^rowlock: (the database server at localhost:\d+ (cannot be trusted|shows a certificate for another host) \(.*\); .+|Access denied for user .*; .+ correct DATABASE_URL)$/;

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'swap-certificates',
  title: 'the server shows certificates of others, and the password changes; each session comes with TLS',
  async run(stage) {
    const random = stage.random.fork('certificates');
    stage.expect.ends.codes.add(CONFIG);
    if (!hasOpenssl())
      await installPackages('openssl', { 'apt-get': [['openssl']], dnf: [['openssl']], apk: [['openssl']] });
    const shown = new Shown(stage);
    await shown.start();
    await stage.database.execute(`ALTER USER 'rowlock_worker'@'%' REQUIRE SSL`);
    let { secret } = stage.database;
    const url = () => {
      const through = new URL(stage.database.url('worker'));
      [through.hostname, through.password, through.search] = ['localhost', secret, `ssl-ca=${shown.ca}`];
      return through.href;
    };
    // Short runs: each that begins asks for the certificate.
    const fleet = stage.startFleet({ args: ['--max-time', '3s'], each: () => ({ url: url() }) });
    stage.startProducers({
      mix: { noop: 4, result: 1, slow: 1, 'effect.complete': 4, 'effect.save': 3, retry: 1 },
      jobsPerSecond: 120,
    });
    const refused = () => fleet.all.filter(({ code }) => code === CONFIG).length;
    /** @param {string} what */
    const untilRefused = async (what) => {
      stage.faults.note(what);
      const before = refused();
      await until(`runs are refused: ${what}`, async () => refused() - before >= REFUSED_AT_LEAST, {
        deadlineMs: DEADLINE_MS,
        everyMs: 50,
      });
    };
    const untilTaken = async () => {
      const { length } = fleet.all;
      await until(
        'a run comes through again',
        async () => fleet.all.slice(length).some(({ number }) => fleet.runIdOf(number)),
        {
          deadlineMs: DEADLINE_MS,
          everyMs: 50,
        },
      );
    };
    // Undefined: the password is another. In the short form one certificate and the password, in the long one each of them once,
    // whatever time there is.
    const swaps = [...shown.others, undefined];
    const first = stage.isLong ? swaps : [random.pick(shown.others), undefined];
    for (let count = 0; stage.hasTime || count < first.length; count++) {
      const swap = count < first.length ? first[count] : random.pick(swaps);
      if (swap === undefined) {
        const next = `changed-${random.int(1e8, 9e8)}`;
        stage.secrets.push(next);
        await stage.database.execute(`ALTER USER 'rowlock_worker'@'%' IDENTIFIED BY '${next}'`);
        await untilRefused('the password is another');
        secret = next;
      } else {
        await shown.show(swap.certificate);
        await untilRefused(swap.what);
        await shown.show(shown.good);
      }
      await untilTaken();
      await pause(random.int(100, 600));
    }
    await stage.comeToRest();
    if (refused() === 0) throw new Late('no run was refused');
    for (const { number, code, signal, log } of fleet.all) {
      const strange = readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('{'));
      const isRight = code === CONFIG ? strange.length === 1 && REFUSAL.test(strange[0] ?? '') : strange.length === 0;
      if (!isRight || !(signal || [0, LEASE_LOST, CONFIG].includes(Number(code)))) {
        const text = `exit code ${code}: ${strange.join(' | ').slice(0, 300)}`;
        stage.findings.push({ check: 'refused by one line', id: `run ${number}`, text });
      }
    }
  },
};

/** The certificate that the server shows. */
class Shown {
  #stage;
  #folder;
  #right;
  good;
  /** Each of these is to be refused. */
  others;

  /** @param {import('../stage/stage.mjs').Stage} stage */
  constructor(stage) {
    this.#stage = stage;
    this.#folder = join(stage.folder, 'tls');
    mkdirSync(this.#folder);
    const right = new Authority(this.#folder, 'right');
    const wrong = new Authority(this.#folder, 'wrong');
    this.#right = right;
    this.good = right.sign(['DNS:localhost']);
    this.others = [
      { what: 'a certificate of another CA', certificate: wrong.sign(['DNS:localhost']) },
      { what: 'a certificate for another host', certificate: right.sign(['DNS:db.example.com', 'IP:127.0.0.1']) },
      // MySQL itself does not take it.
      ...(stage.server.isMariaDB
        ? [{ what: 'a certificate that has expired', certificate: right.sign(['DNS:localhost'], { days: -1 }) }]
        : []),
    ];
  }

  /** What the worker trusts. */
  get ca() {
    return encodeURIComponent(this.#right.file);
  }

  /** Starts the server anew, with TLS. */
  async start() {
    this.#place(this.good);
    await this.#stage.server.stop();
    // MySQL takes no certificate but those of its --ssl-ca, and finds one of its own where none is given.
    await this.#stage.server.start(['ca', 'cert', 'key'].map((name) => `--ssl-${name}=${join(this.#folder, name)}`));
  }

  /** @param {import('../stage/certificates.mjs').Certificate} certificate */
  async show(certificate) {
    this.#place(certificate);
    await this.#stage.database.execute(this.#stage.server.isMariaDB ? 'FLUSH SSL' : 'ALTER INSTANCE RELOAD TLS');
  }

  /** @param {import('../stage/certificates.mjs').Certificate} certificate */
  #place({ cert, key, ca }) {
    copyFileSync(ca, join(this.#folder, 'ca'));
    copyFileSync(cert, join(this.#folder, 'cert'));
    copyFileSync(key, join(this.#folder, 'key'));
  }
}
