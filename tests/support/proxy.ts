import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What becomes of a statement on its way: it passes, is altered, or ends the connection.
 *
 * @param before what the same connection has sent before it
 */
export type Meddle = (sql: string, before: readonly string[]) => string | Fate;

type Fate = typeof CUT_BEFORE | typeof CUT_AFTER | typeof ANSWER_LATE | typeof SILENT;

/** Lets everything pass. */
export const PASS: Meddle = (sql) => sql;

/** The connection ends and the server never sees the statement. */
export const CUT_BEFORE = Symbol('cut before');
/** The server gets the statement, and nobody its answer. */
export const CUT_AFTER = Symbol('cut after');
/** The server gets the statement, and its answer waits until the proxy lets it pass. */
export const ANSWER_LATE = Symbol('answer late');

/** From this statement on nothing arrives on this connection, in either direction, and nobody is told. */
export const SILENT = Symbol('silent');

export interface Proxy {
  /** The real server's URL, by way of the proxy. */
  url: string;
  /** Every statement that came by. */
  seen: string[];
  /** Lets the answers pass that were late. */
  answer(): void;
  /** Ends each new connection at once, until it comes back; those that are open go on. */
  refuse(): void;
  /** How many connections it has ended so. */
  refused(): number;
  /** Ends all connections and refuses new ones, as a server does that is away. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  /** From here on nothing arrives, and nobody is told: as a firewall that forgets its connections. */
  swallow(): void;
  close(): Promise<void>;
}

const HEADER = 4;
const COM_QUERY = 3;

const open = new Set<Proxy>();

afterAll(async () => {
  for (const proxy of open) await proxy.close();
});

/** Stands between a client and a real server, and meddles with the text of its statements. */
export async function startProxy(url: string, meddle: Meddle): Promise<Proxy> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const seen: string[] = [];
  const late: Socket[] = [];
  let swallowing = false;
  let refusing = false;
  let refused = 0;
  const server = createServer((client) => {
    if (refusing) {
      refused++;
      client.destroy();
      return;
    }
    const before: string[] = [];
    let silent = false;
    const upstream = connect(Number(target.port || 3306), target.hostname);
    for (const [socket, peer] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => peer.destroy()).on('close', () => peer.destroy());
    }
    upstream.on('data', (data) => swallowing || silent || client.write(data));
    client.on('data', (data) => {
      if (swallowing || silent) return;
      if (data.length <= HEADER || data[HEADER] !== COM_QUERY || data[3] !== 0) return upstream.write(data);
      const start = textStart(data);
      const sql = data.subarray(start).toString();
      seen.push(sql);
      const becomes = meddle(sql, before);
      before.push(sql);
      if (becomes === CUT_BEFORE) return client.destroy();
      if (becomes === SILENT) {
        silent = true;
        return;
      }
      if (becomes === ANSWER_LATE) {
        late.push(upstream.pause());
        return upstream.write(data);
      }
      if (becomes === CUT_AFTER) {
        upstream.removeAllListeners('data').on('data', () => client.destroy());
        return upstream.write(data);
      }
      return upstream.write(packet(data.subarray(HEADER, start), becomes));
    });
  });
  const port = await listen(server, 0);
  const stop = async () => {
    const stopped = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await stopped;
  };
  const through = new URL(url);
  through.hostname = '127.0.0.1';
  through.port = String(port);
  const proxy: Proxy = {
    url: through.href,
    seen,
    swallow() {
      swallowing = true;
    },
    answer() {
      for (const upstream of late.splice(0)) upstream.resume();
    },
    refuse() {
      refusing = true;
    },
    refused: () => refused,
    goAway: stop,
    async comeBack() {
      refusing = false;
      if (!server.listening) await listen(server, port);
    },
    async close() {
      if (open.delete(proxy)) await stop();
    },
  };
  open.add(proxy);
  return proxy;
}

/** MySQL 8 expects the number of query attributes (none, in one set) before the text. */
const textStart = (packet: Buffer): number => HEADER + (packet[HEADER + 1] === 0 ? 3 : 1);

function packet(command: Buffer, sql: string): Buffer {
  const body = Buffer.concat([command, Buffer.from(sql)]);
  const header = Buffer.alloc(HEADER); // its last byte, the number of the packet, is 0
  header.writeUIntLE(body.length, 0, 3);
  return Buffer.concat([header, body]);
}

function listen(server: Server, wanted: number): Promise<number> {
  return new Promise((resolve) => {
    server.listen(wanted, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}
