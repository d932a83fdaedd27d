import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Ping {
  method: string;
  path: string;
  query: URLSearchParams;
  authorization: string | undefined;
  body: string;
}

export interface PingServer {
  /** The URL of a check, whose path is a secret. */
  url: string;
  /** Everything that came, in this order. */
  pings: Ping[];
  /** Their paths, without that of the URL. */
  paths(): string[];
  close(): Promise<void>;
}

/** What the server does with a ping; without an answer the client waits. */
export type Answer = (path: string, response: ServerResponse) => void;

const ANSWER_OK: Answer = (_path, response) => response.end('OK');

export const SECRET = 'c0ffee00-secret';

const open = new Set<PingServer>();

afterAll(async () => {
  for (const server of open) await server.close();
});

/** What healthchecks.io is to a run. */
export async function startPingServer(answer: Answer = ANSWER_OK): Promise<PingServer> {
  const pings: Ping[] = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    const ping: Ping = {
      method: request.method ?? '',
      path: pathname.replace(`/${SECRET}`, ''),
      query: searchParams,
      authorization: request.headers.authorization,
      body: '',
    };
    pings.push(ping);
    readBody(request, ping);
    answer(ping.path, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const pingServer: PingServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${SECRET}`,
    pings,
    paths: () => pings.map(({ path }) => path),
    async close() {
      open.delete(pingServer);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  open.add(pingServer);
  return pingServer;
}

function readBody(request: IncomingMessage, ping: Ping): void {
  request.setEncoding('utf8').on('data', (text: string) => {
    ping.body += text;
  });
}
