import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { splitPackets, textOf } from './packets.mjs';
import { nameStatement, requireStatement } from './statements.mjs';

/**
 * A statement on its way to the server.
 * @typedef {object} Passing
 * @property {string} name its file of sql/queries; of any other one its first words: COMMIT, START TRANSACTION
 * @property {string} sql
 * @property {readonly string[]} transaction the names before it in this transaction of this connection
 * @property {number} connection its number, from 1
 */

/**
 * What becomes of it:
 * - `pass`: it goes on, and the trap tells of it;
 * - `cut`: the connection ends, and the server never sees it;
 * - `cut after`: the server gets it, and nobody its answer: the connection ends when that comes;
 * - `arrive late`: the connection ends for the worker, and the server gets the statement only when it is let go;
 * - `hold`: it waits here, and the connection with it, until it is let go;
 * - `hold answer`: the server gets it, and its answer waits here until it is let go;
 * - `swallow`: from here on nothing arrives on this connection, in either direction, and nobody is told.
 * @typedef {'pass' | 'cut' | 'cut after' | 'arrive late' | 'hold' | 'hold answer' | 'swallow'} Fate
 */

/**
 * Something that was caught by a trap.
 * @typedef {object} Caught
 * @property {Passing} statement
 * @property {() => void} release what is held goes on
 * @property {() => void} cut the connection ends, and the statement that is held never arrives
 */

/**
 * @typedef {object} Trap
 * @property {Promise<Caught>} caught the first one
 * @property {Caught[]} all so far
 * @property {() => void} remove and let go what it holds
 */

/**
 * @typedef {object} Line
 * @property {import('node:net').Socket} client
 * @property {import('node:net').Socket} upstream
 * @property {boolean} swallowed
 * @property {boolean} parted its client has gone, and the server has not been told
 */

/** Statements whose COMMIT is told apart by what came before it. @param {string} name */
export const commitAfter = (name) => {
  requireStatement(name);
  return (/** @type {Passing} */ { name: own, transaction }) => own === 'COMMIT' && transaction.includes(name);
};

/** @param {string} name */
export const statement = (name) => {
  requireStatement(name);
  return (/** @type {Passing} */ { name: own }) => own === name;
};

/**
 * Stands between a worker and the server, and knows the statements that pass. What it delays or drops is what a network
 * does: the processes on either side are not touched.
 */
export class MeddlingProxy {
  #server;
  #target;
  #port = 0;
  /** @type {Set<Line>} */
  #lines = new Set();
  /** @type {Set<Trap & { match: (passing: Passing) => boolean, fate: Fate, left: number, tell: (caught: Caught) => void }>} */
  #traps = new Set();
  #connections = 0;
  #delayMs = 0;
  #refusing = false;
  #swallowing = false;

  /** @param {string} url of the server */
  constructor(url) {
    this.#target = new URL(url);
    this.#server = createServer((client) => this.#accept(client));
  }

  /** @param {string} url */
  static async open(url) {
    const proxy = new MeddlingProxy(url);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    const address = proxy.#server.address();
    proxy.#port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    return proxy;
  }

  /** The server's URL by way of the proxy: give it to `stage.database.url('worker', proxy.url)`. */
  get url() {
    const through = new URL(this.#target);
    through.port = String(this.#port);
    return through.href;
  }

  /**
   * Chooses the fate of the statements that match, of so many of them.
   *
   * @param {(passing: Passing) => boolean} match
   * @param {Fate} fate
   * @param {{ times?: number }} [options] 1
   * @returns {Trap}
   */
  trap(match, fate, { times = 1 } = {}) {
    /** @type {{ promise: Promise<Caught>, resolve: (caught: Caught) => void }} */
    const { promise, resolve } = withResolvers();
    /** @type {Caught[]} */
    const all = [];
    const trap = {
      match,
      fate,
      left: times,
      all,
      caught: promise,
      tell: (/** @type {Caught} */ caught) => {
        all.push(caught);
        resolve(caught);
      },
      remove: () => {
        this.#traps.delete(trap);
        for (const { release } of all) release();
      },
    };
    this.#traps.add(trap);
    return trap;
  }

  /** Removes every trap, and whatever else is wrong with this network; what was swallowed stays so. */
  heal() {
    for (const trap of [...this.#traps]) trap.remove();
    this.#delayMs = 0;
    this.#refusing = false;
    this.#swallowing = false;
  }

  /** Ends every connection: both sides are told. @returns {number} how many */
  cutAll() {
    const count = this.#lines.size;
    for (const { client, upstream } of this.#lines) {
      client.destroy();
      upstream.destroy();
    }
    return count;
  }

  /** Ends each new connection at once. */
  refuse() {
    this.#refusing = true;
  }

  /** From here on nothing arrives, on old connections and new ones, and nobody is told: a firewall that forgets. */
  swallow() {
    this.#swallowing = true;
    for (const line of this.#lines) line.swallowed = true;
  }

  /** Each packet, in each direction, takes so much longer. @param {number} ms */
  slow(ms) {
    this.#delayMs = ms;
  }

  async close() {
    this.heal();
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cutAll();
    await closed;
  }

  /** @param {import('node:net').Socket} client */
  #accept(client) {
    client.on('error', () => undefined);
    if (this.#refusing) {
      client.destroy();
      return;
    }
    const upstream = connect(Number(this.#target.port), this.#target.hostname);
    const connection = ++this.#connections;
    const line = { client, upstream, swallowed: this.#swallowing, parted: false };
    this.#lines.add(line);
    /** @type {string[]} */
    let transaction = [];
    for (const [socket, peer] of /** @type {const} */ ([
      [client, upstream],
      [upstream, client],
    ])) {
      socket.setNoDelay();
      socket
        .on('error', () => peer.destroy())
        .on('close', () => {
          if (line.parted && socket === client) return;
          peer.destroy();
          this.#lines.delete(line);
        });
    }
    // In order: what is held, or late, holds up all that comes after it.
    const toServer = new InOrder((data) => line.swallowed || upstream.write(data));
    const toClient = new InOrder((data) => line.swallowed || client.write(data));
    upstream.on('data', (data) => toClient.add(data, this.#late()));
    client.on(
      'data',
      splitPackets((packet) => {
        const sql = textOf(packet);
        if (sql === undefined) return toServer.add(packet, this.#late());
        const name = nameStatement(sql);
        if (name === 'START TRANSACTION') transaction = [];
        const passing = { name, sql, transaction: [...transaction], connection };
        transaction.push(name);
        this.#decide(passing, packet, line, toServer, toClient);
      }),
    );
  }

  /**
   * @param {Passing} passing
   * @param {Buffer} packet
   * @param {Line} line
   * @param {InOrder} toServer
   * @param {InOrder} toClient
   */
  #decide(passing, packet, line, toServer, toClient) {
    const trap = [...this.#traps].find(({ match, left }) => left > 0 && match(passing));
    if (trap === undefined) return toServer.add(packet, this.#late());
    trap.left--;
    const { promise: until, resolve: release } = withResolvers();
    const cut = () => {
      line.client.destroy();
      release();
    };
    if (trap.fate === 'pass') toServer.add(packet, this.#late());
    else if (trap.fate === 'cut') cut();
    else if (trap.fate === 'arrive late') {
      line.parted = true;
      line.client.destroy();
      toServer.add(packet, until);
      line.upstream.once('data', () => line.upstream.destroy());
    } else if (trap.fate === 'swallow') line.swallowed = true;
    else if (trap.fate === 'hold') toServer.add(packet, until);
    else {
      // The answer waits; of one that is to be lost nothing gets through, whoever lets go of what.
      const isLost = trap.fate === 'cut after';
      if (isLost) line.upstream.once('data', () => line.client.destroy());
      toClient.add(Buffer.alloc(0), isLost ? new Promise(() => undefined) : until);
      toServer.add(packet, this.#late());
    }
    trap.tell({ statement: passing, release, cut });
  }

  #late() {
    if (this.#delayMs === 0) return undefined;
    const { promise, resolve } = withResolvers();
    setTimeout(resolve, this.#delayMs);
    return promise;
  }
}

/** Hands on what it is given, in that order, each when its time has come. */
class InOrder {
  #write;
  /** @type {Promise<unknown> | undefined} */
  #last;

  /** @param {(data: Buffer) => unknown} write */
  constructor(write) {
    this.#write = write;
  }

  /**
   * @param {Buffer} data
   * @param {Promise<unknown>} [until] undefined: at once
   */
  add(data, until) {
    if (this.#last === undefined && until === undefined) {
      if (data.length > 0) this.#write(data);
      return;
    }
    const next = Promise.all([this.#last, until]).then(() => {
      if (data.length > 0) this.#write(data);
      if (this.#last === next) this.#last = undefined;
    });
    this.#last = next;
  }
}

/**
 * Promise.withResolvers, which Node 20 does not have.
 *
 * @template [T=void]
 * @returns {{ promise: Promise<T>, resolve: (value: T) => void }}
 */
function withResolvers() {
  /** @type {(value: T) => void} */
  let resolve = () => undefined;
  /** @type {Promise<T>} */
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
