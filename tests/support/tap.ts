import { connect, createServer, type Socket } from 'node:net';
import { nameStatement } from './statement-names';

/** Counts what a client sends to a real server, and changes nothing of it. */
export interface Tap {
  /** The real server's URL, by way of the tap. */
  url: string;
  /** What each connection has sent, in the order in which they were opened: each of these is one round trip. */
  connections: string[][];
  /** All of it, in the order in which it came by. */
  sent: string[];
  close(): Promise<void>;
}

/** A packet's length, and its number: a command begins a new exchange, with 0. */
const HEADER = 4;

const COMMANDS: Record<number, string> = {
  14: 'PING',
  22: 'PREPARE',
  23: 'EXECUTE',
  25: 'CLOSE',
  31: 'RESET',
};
const COM_QUERY = 3;
/** Has no answer, so nobody waits for it. */
const COM_QUIT = 1;

/** MySQL 8 wants the number of query attributes (none, in one set) ahead of the text. */
const NO_ATTRIBUTES = 2;

const open = new Set<Tap>();

afterAll(async () => {
  for (const tap of open) await tap.close();
});

/** Stands between a client and a real server, and tells each command of the one to the other. */
export async function startTap(url: string): Promise<Tap> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port || 3306), target.hostname);
    const own: string[] = [];
    tap.connections.push(own);
    const listen = listenForCommands((command) => {
      own.push(command);
      tap.sent.push(command);
    });
    client.on('data', listen);
    for (const [socket, peer] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket.setNoDelay());
      socket.on('error', () => peer.destroy()).on('close', () => peer.destroy());
      socket.pipe(peer);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const through = new URL(url);
  through.hostname = '127.0.0.1';
  through.port = String(typeof address === 'object' ? address?.port : '');
  const tap: Tap = {
    url: through.href,
    connections: [],
    sent: [],
    async close() {
      if (!open.delete(tap)) return;
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  open.add(tap);
  return tap;
}

/** Puts packets together from what arrives, however it is cut. */
function listenForCommands(tell: (command: string) => void): (data: Buffer) => void {
  let waiting = Buffer.alloc(0);
  return (data) => {
    waiting = Buffer.concat([waiting, data]);
    while (waiting.length >= HEADER) {
      const end = HEADER + waiting.readUIntLE(0, 3);
      if (waiting.length < end) return;
      // Handshake and authentication have other numbers.
      if (waiting[3] === 0 && waiting[HEADER] !== COM_QUIT) tell(nameCommand(waiting.subarray(HEADER, end)));
      waiting = waiting.subarray(end);
    }
  };
}

function nameCommand(packet: Buffer): string {
  const [command = 0, first] = packet;
  if (command !== COM_QUERY) return COMMANDS[command] ?? `command ${command}`;
  return nameStatement(packet.subarray(1 + (first === 0 ? NO_ATTRIBUTES : 0)).toString());
}
