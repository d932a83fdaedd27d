import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const HEADER = 4;
const COM_QUIT = 1;

/**
 * Stands between a client and a server, and notes when each command passed. The driver waits for each answer, so a
 * command is a round trip.
 *
 * @param {string} url
 */
export async function startCountingProxy(url) {
  const target = new URL(url);
  /** @type {number[]} performance.now() of each command */
  const commands = [];
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port || 3306), target.hostname).setNoDelay();
    client.setNoDelay();
    for (const [socket, peer] of [
      [client, upstream],
      [upstream, client],
    ]) {
      if (socket === undefined || peer === undefined) continue;
      sockets.add(socket);
      socket.on('error', () => peer.destroy()).on('close', () => peer.destroy());
    }
    const note = readPackets((number, command) => {
      // The packets of a login have other numbers than 0.
      if (number === 0 && command !== COM_QUIT) commands.push(performance.now());
    });
    client.on('data', note).pipe(upstream);
    upstream.pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const through = new URL(url);
  through.hostname = '127.0.0.1';
  through.port = String(typeof address === 'object' ? address?.port : '');
  return {
    url: through.href,
    commands,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/**
 * Finds the packets in what a client sends, however it is cut: three bytes of length, the packet's number, its body.
 *
 * @param {(number: number, firstByte: number) => void} found
 * @returns {(data: Buffer) => void}
 */
function readPackets(found) {
  /** @type {Buffer} the beginning of a packet whose end is yet to come */
  let rest = Buffer.alloc(0);
  /** Bytes of a packet that is known already. */
  let skip = 0;
  return (data) => {
    let bytes = rest.length === 0 ? data : Buffer.concat([rest, data]);
    for (;;) {
      const skipped = Math.min(skip, bytes.length);
      skip -= skipped;
      bytes = bytes.subarray(skipped);
      if (bytes.length <= HEADER) break;
      found(bytes[3] ?? 0, bytes[HEADER] ?? 0);
      skip = HEADER + bytes.readUIntLE(0, 3);
    }
    rest = bytes;
  };
}
