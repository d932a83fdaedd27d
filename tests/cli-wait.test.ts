import { connect, createServer, type Server, type Socket } from 'node:net';
import { createDatabase } from './support/database';
import { rowlock, start } from './support/rowlock';
import { until } from './support/until';

const wait = (url: string, timeout: string) => rowlock(['wait', '--timeout', timeout], { env: { DATABASE_URL: url } });

test('the database is there: says nothing, also before any table is', async () => {
  const db = await createDatabase({ migrated: false });
  expect(await wait(db.url, '10s')).toMatchObject({ code: 0, stdout: '', stderr: '' });
});

test('nobody answers within the time', async () => {
  const started = Date.now();
  const { code, stderr } = await wait('mysql://app:s3cret@127.0.0.1:1/app', '1s');
  expect(code).toBe(69);
  expect(stderr).toMatch(/^rowlock: the database server at 127\.0\.0\.1:1 does not answer \(ECONNREFUSED\).*\n$/);
  expect(Date.now() - started).toBeGreaterThanOrEqual(1_000);
});

test('a server that takes the connection and says nothing does not hold it longer', async () => {
  const silent = await listen(createServer());
  const { code } = await wait(`mysql://app@127.0.0.1:${portOf(silent)}/app`, '1s');
  silent.close();
  expect(code).toBe(69);
});

test('a refused login is told at once', async () => {
  const db = await createDatabase({ migrated: false });
  const url = new URL(db.url);
  url.username = 'nobody';
  url.password = 's3cret';
  const started = Date.now();
  expect((await wait(url.href, '60s')).code).toBe(78);
  expect(Date.now() - started).toBeLessThan(10_000);
});

test('ends when the server comes up', async () => {
  const db = await createDatabase({ migrated: false });
  const { hostname, port, pathname, username, password } = new URL(db.url);
  const relay = createServer((socket) => relayTo(socket, hostname, Number(port || 3306)));
  let tries = 0;
  const closed = await listen(
    createServer((socket) => {
      tries++;
      socket.destroy();
    }),
  );
  const relayPort = portOf(closed);
  const waiting = start(['wait'], {
    env: { DATABASE_URL: `mysql://${username}:${password}@127.0.0.1:${relayPort}${pathname}` },
  });
  await until(() => tries > 0, 'a first try has failed');
  await new Promise((resolve) => closed.close(resolve));
  await listen(relay, relayPort);
  expect(await waiting.ended).toMatchObject({ code: 0, stderr: '' });
  relay.close();
});

function relayTo(socket: Socket, host: string, port: number): void {
  const server = connect(port, host);
  socket.pipe(server).pipe(socket);
  for (const [end, other] of [
    [socket, server],
    [server, socket],
  ] as const)
    end.on('error', () => other.destroy());
}

const listen = (server: Server, port = 0): Promise<Server> =>
  new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)));

const portOf = (server: Server): number => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) return address.port;
  throw new Error('the server does not listen');
};
