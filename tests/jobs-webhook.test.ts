import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Webhook } from 'standardwebhooks';
import { checkAddresses } from '../src/jobs/public-address';
import { type WebhookResult, type WebhookSettings, webhookDeliver } from '../src/jobs/webhook-deliver';
import { keysFor } from '../src/jobs/webhook-signature';
import { Wrong, webhookSecrets } from '../src/shapes';
import { runJob } from '../src/testing';
import { Authority, type Certificate, hasOpenssl } from './faults/stage/certificates.mjs';
import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

const KEY = randomBytes(32).toString('base64');
const OLD_KEY = randomBytes(24).toString('base64');
const SECRETS = [{ key: KEY }, { key: OLD_KEY }];

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Call {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

const NO_CALL: Call = { path: '', headers: {}, body: '' };

interface Receiver {
  /** Without a path. */
  url: string;
  port: number;
  calls: Call[];
}

type Answer = (response: ServerResponse, call: Call) => void;

const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Answer =>
  (response) =>
    response.writeHead(code, headers).end(body);

/** On 127.0.0.1, over TLS where it has a certificate. */
async function startReceiver(answer: Answer = status(204), certificate?: Certificate): Promise<Receiver> {
  const calls: Call[] = [];
  const take: RequestListener = (request, response) => {
    const call: Call = { path: request.url ?? '', headers: request.headers, body: '' };
    request.setEncoding('utf8').on('data', (text: string) => {
      call.body += text;
    });
    request.on('end', () => {
      calls.push(call);
      answer(response, call);
    });
  };
  const tls = certificate && { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) };
  const server = tls === undefined ? createServer(take) : createTlsServer(tls, take);
  const port = await listen(server, '127.0.0.1');
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, port, calls };
}

async function listen(server: Server | ReturnType<typeof createTcpServer>, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** One attempt, by the worker's own code. The receivers are on this host, so the address is allowed unless it is said. */
const deliver = (
  payload: unknown,
  settings: Partial<WebhookSettings> = {},
  options: Parameters<typeof runJob>[2] = {},
) => runJob(webhookDeliver({ secrets: SECRETS, allowPrivate: ['127.0.0.1'], ...settings }), payload, options);

const EVENT = { type: 'order.paid', data: { id: 7, name: 'Größe 😀' } };

describe('what the receiver gets', () => {
  test('is the body, signed with each secret so that the reference library takes it', async () => {
    const { url, calls } = await startReceiver();
    const done = await deliver({ url: `${url}/hooks?a=1`, body: EVENT, headers: { 'X-Shop': 'north' } });
    expect(done).toMatchObject({ outcome: 'completed', result: { status: 204 } });
    const [{ path, headers, body } = NO_CALL] = calls;
    expect(path).toBe('/hooks?a=1');
    expect(JSON.parse(body)).toEqual(EVENT);
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': expect.stringMatching(/^rowlock\/\d/),
      'webhook-id': (done.result as WebhookResult).id,
      'x-shop': 'north',
    });
    for (const key of [KEY, OLD_KEY])
      expect(new Webhook(`whsec_${key}`).verify(body, headers as Record<string, string>)).toEqual(EVENT);
    expect(() =>
      new Webhook(randomBytes(32).toString('base64')).verify(body, headers as Record<string, string>),
    ).toThrow();
    expect(() => new Webhook(KEY).verify(`${body} `, headers as Record<string, string>)).toThrow();
  });

  test('has one id for all attempts of a job, another for each job, and the time of the attempt', async () => {
    const { url, calls } = await startReceiver();
    const createdAt = new Date(Date.now() - 3 * 86_400_000);
    await deliver({ url, body: 1 }, {}, { id: 7, createdAt });
    await deliver({ url, body: 1 }, {}, { id: 7, createdAt, attempt: 9 });
    await deliver({ url, body: 1 }, {}, { id: 8, createdAt });
    const [first, again, other] = calls.map(({ headers }) => headers['webhook-id']);
    expect(first).toMatch(/^msg_[0-9a-f]{32}$/);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
    for (const { headers } of calls)
      expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1_000)).toBeLessThan(60);
  });

  test.each([
    ['a text, as it is', '{"b": 1,  "a": 2}', '{"b": 1,  "a": 2}'],
    ['null', null, 'null'],
    ['an empty list', [], '[]'],
    ['a number that a double would round', 12345678901234567890n, '12345678901234567890'],
  ])('may be %s', async (_name, body, sent) => {
    const { url, calls } = await startReceiver();
    expect(await deliver({ url, body })).toMatchObject({ outcome: 'completed' });
    expect(calls[0]?.body).toBe(sent);
  });

  test('has the content type and the login that the payload says', async () => {
    const { url, calls } = await startReceiver();
    const withLogin = url.replace('//', '//ann:p%40ss@');
    await deliver({ url: withLogin, body: '<a/>', headers: { 'Content-Type': 'text/xml' } });
    expect(calls[0]?.headers).toMatchObject({
      'content-type': 'text/xml',
      authorization: `Basic ${Buffer.from('ann:p@ss').toString('base64')}`,
    });
  });

  test('is signed with the secrets of its host alone, where it has some', async () => {
    const { url, calls } = await startReceiver();
    await deliver({ url, body: EVENT }, { secrets: [{ key: KEY }, { host: '127.0.0.1', key: OLD_KEY }] });
    const [{ headers, body } = NO_CALL] = calls;
    expect(new Webhook(OLD_KEY).verify(body, headers as Record<string, string>)).toEqual(EVENT);
    expect(headers['webhook-signature']).not.toContain(' ');
    const other = await deliver({ url, body: 1 }, { secrets: [{ host: 'example.com', key: KEY }] });
    expect(other).toMatchObject({
      outcome: 'retry',
      error: expect.stringContaining('WEBHOOK_SECRET has no secret for 127.0.0.1; add one'),
    });
  });
});

describe('a secret of a host', () => {
  const OTHER = `whsec_${OLD_KEY}`;
  test.each([
    ['shop.example.com', 'https://shop.example.com:8443/x'],
    ['Shop.Example.com', 'https://shop.example.com./x'],
    ['shop.example.com.', 'https://SHOP.example.com/x'],
    ['münchen.example', 'https://münchen.example/x'],
    ['xn--mnchen-3ya.example', 'https://MÜNCHEN.example/x'],
    ['2606:4700::1111', 'https://[2606:4700::1111]/'],
    ['[2606:4700:0::1111]', 'https://[2606:4700::1111]:8443/'],
    ['203.0.113.9', 'https://203.0.113.9/'],
  ])('%s is that of %s, and of no other', (host, url) => {
    const secrets = webhookSecrets(`whsec_${KEY} ${host}=${OTHER}`);
    if (secrets instanceof Wrong) throw new Error(secrets.why);
    expect(keysFor(new URL(url).hostname, secrets)).toEqual([OLD_KEY]);
    expect(keysFor('example.com', secrets)).toEqual([KEY]);
  });

  test.each([
    'shop.example.com:8443',
    'shop.example.com:80',
    '[2606:4700::1111]:443',
    'https://shop.example.com',
    'shop.example.com/hooks',
    'ann@shop.example.com',
    'a..b%',
    '[::',
  ])('%s is none', (host) => {
    expect(webhookSecrets(`${host}=${OTHER}`)).toMatchObject({
      why: expect.stringContaining('leave out protocol, port'),
    });
  });
});

describe('a payload is refused', () => {
  const url = 'https://example.com';
  test.each([
    ['a URL that is none', { url: 'example.com/hook', body: 1 }, 'url: is no URL of the form'],
    ['another protocol', { url: 'file:///etc/passwd', body: 1 }, 'url: is no URL of the form'],
    ['a login with a bare %', { url: 'https://a:%zz@example.com', body: 1 }, 'url: is no URL of the form'],
    ['no body', { url }, 'body: is missing'],
    ['a header of the signature', { url, body: 1, headers: { 'Webhook-Id': 'x' } }, 'headers.Webhook-Id: is set by'],
    ['another host', { url, body: 1, headers: { Host: 'x' } }, 'headers.Host: is set by'],
    ['a line break in a header', { url, body: 1, headers: { A: 'b\r\nC: d' } }, 'headers.A: is no header'],
    ['an unknown field', { url, body: 1, method: 'GET' }, 'Unrecognized key: "method"'],
    ['null', null, 'expected object'],
  ])('for %s', async (_name, payload, fault) => {
    expect(await deliver(payload)).toMatchObject({ outcome: 'failed', error: expect.stringContaining(fault) });
  });
});

describe('the answer', () => {
  const answerWith = async (answer: Answer, options: Parameters<typeof runJob>[2] = {}) => {
    const { url } = await startReceiver(answer);
    return deliver(
      { url: `${url}/t0ps3cret`, body: EVENT, headers: { authorization: 'Bearer abcdef123456' } },
      {},
      options,
    );
  };

  test.each([200, 201, 202, 204, 299])('%i completes the job', async (code) => {
    expect(await answerWith(status(code))).toMatchObject({ outcome: 'completed', result: { status: code } });
  });

  test.each([400, 401, 403, 404, 410, 413, 422, 451])('%i fails it at once', async (code) => {
    expect(await answerWith(status(code, {}, 'no such shop'))).toMatchObject({
      outcome: 'failed',
      error: expect.stringMatching(
        new RegExp(`not delivered to 127\\.0\\.0\\.1:\\d+: it answered ${code} .*: no such shop`),
      ),
    });
  });

  test.each([500, 502, 504, 429, 503, 302, 307])('%i is tried again', async (code) => {
    const { outcome, error } = await answerWith(status(code));
    expect({ outcome, error }).toMatchObject({ outcome: 'retry', error: expect.stringContaining(`${code}`) });
  });

  test.each([
    [429, '7', 7_000],
    [503, '3600', 3_600_000],
    [503, '0', 5_000],
    [503, '99999999999', 24 * 3_600_000],
    [429, 'Fri, 01 Jan 2100 00:00:00 GMT', 24 * 3_600_000],
    [429, 'Fri, 01 Jan 2010 00:00:00 GMT', 5_000],
  ])('%i with Retry-After: %s says when', async (code, retryAfter, delayMs) => {
    expect(await answerWith(status(code, { 'retry-after': retryAfter }))).toMatchObject({ outcome: 'retry', delayMs });
  });

  test.each([
    [2, '1', 300_000],
    [2, '3600', 3_600_000],
    [4, '7', 7_200_000],
    [9, '99999999999', 86_400_000],
  ])(
    'Retry-After is a least wait: attempt %i that is told %s waits its own time or longer',
    async (attempt, retryAfter, delayMs) => {
      const ended = await answerWith(status(503, { 'retry-after': retryAfter }), { attempt });
      expect(ended).toMatchObject({ outcome: 'retry', delayMs });
    },
  );

  test('a date in Retry-After is of the receiver’s own clock', async () => {
    const headers = { date: 'Fri, 01 Jan 2010 00:00:00 GMT', 'retry-after': 'Fri, 01 Jan 2010 00:02:00 GMT' };
    expect(await answerWith(status(503, headers))).toMatchObject({ outcome: 'retry', delayMs: 120_000 });
  });

  test.each(['soon', '-1', '1.5', '2026-01-01', ''])('Retry-After: "%s" is none', async (retryAfter) => {
    expect(await answerWith(status(503, { 'retry-after': retryAfter }))).toMatchObject({
      outcome: 'retry',
      delayMs: 5_000,
    });
  });

  test('Retry-After of a 500 or a 404 changes nothing', async () => {
    expect(await answerWith(status(500, { 'retry-after': '77' }))).toMatchObject({ delayMs: 5_000 });
    expect(await answerWith(status(404, { 'retry-after': '77' }))).toMatchObject({ outcome: 'failed' });
  });

  test('a redirect is not followed, and of where to only the host is told', async () => {
    const other = await startReceiver();
    const location = `${other.url}/another-s3cret`;
    for (const [code, outcome] of [
      [301, 'failed'],
      [302, 'retry'],
      [307, 'retry'],
      [308, 'failed'],
    ] as const) {
      const ended = await answerWith(status(code, { location }));
      expect(ended).toMatchObject({ outcome, error: expect.stringContaining(`at 127.0.0.1:${other.port}`) });
      expect(ended.error).not.toContain('s3cret');
    }
    expect(other.calls).toEqual([]);
  });

  test.each([300, 304])('%i is no redirect', async (code) => {
    const { outcome, error } = await answerWith(status(code));
    expect({ outcome, error }).toMatchObject({ outcome: 'retry', error: expect.not.stringContaining('redirects') });
  });

  test('that is compressed is not told, and decides by its status', async () => {
    const zipped: Answer = (response) =>
      response.writeHead(422, { 'content-encoding': 'gzip' }).end(gzipSync('no such shop'));
    expect((await answerWith(zipped)).error).toMatch(/it answered 422 Unprocessable Entity$/);
    const taken: Answer = (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip at all');
    expect(await answerWith(taken)).toMatchObject({ outcome: 'completed', result: { status: 200 } });
  });

  test('never brings what was sent, nor the path, into the error', async () => {
    const { url } = await startReceiver((response, { path, headers }) =>
      response.writeHead(400).end(`bad call of ${path} with ${headers.authorization}\n\n by\0 ${url}`),
    );
    const withLogin = url.replace('//', '//mailer:hunter22@');
    const { error = '' } = await deliver({ url: `${withLogin}/t0ps3cret/x?key=abcdefgh`, body: 1 });
    expect(error).toMatch(/bad call of \*\*\* with Basic \*\*\* by http/);
    for (const secret of ['hunter22', 't0ps3cret', 'abcdefgh', Buffer.from('mailer:hunter22').toString('base64')])
      expect(error).not.toContain(secret);
    const bearer = await answerWith((response, { headers }) => response.writeHead(401).end(headers.authorization));
    expect(bearer.error).toMatch(/401 Unauthorized: \*\*\*$/);
  });

  test.each([
    ['a part of the path', '{"error":"hook t0ps3cret is not known"}', 'hook *** is not known'],
    ['the path decoded', 'no such path /top s3cret/t0ps3cret', 'no such path /***'],
    ['a value of the query', 'invalid key abcdefgh', 'invalid *** ***'],
    ['it within a word', 'invalid_key_abcdefgh_x', 'invalid_***_x'],
    ['the beginning of it', 'no key begins with abcdef', 'begins with ***'],
    ['a value of the body', '"Ann Lee" at Größe 5 is no name', '"*** ***" at ***'],
    ['it escaped', '{"name":"Gr\\u00f6\\u00dfe\\nstra"}', '{"name":"*** stra"}'],
    ['in capitals', 'GRÖSSE or GRÖẞE, ANN', 'GRÖSSE or ***, ***'],
    ['a number', 'the amount 4711 is too high', 'the amount *** is too high'],
  ])('never brings %s into the error, as a receiver repeats it', async (_name, said, told) => {
    const { url } = await startReceiver(status(422, {}, said));
    const ended = await deliver({
      url: `${url}/top%20s3cret/t0ps3cret?key=abcdefgh`,
      body: { name: 'Ann Lee', list: [{ city: 'größe straße' }], amount: 4711, ok: true, none: null },
    });
    expect(ended).toMatchObject({ outcome: 'failed', error: expect.stringContaining(told) });
    expect(ended.error).not.toMatch(/t0ps3cret|top s3cret|abcdef|Ann|größe|4711/i);
  });

  test('of a body of a megabyte finds in no time what is repeated of it', async () => {
    const rows = Array.from({ length: 40_000 }, (_, row) => `name${row} of row${row}`);
    const { url } = await startReceiver((response, { body }) => response.writeHead(400).end(`bad: ${body}`));
    const ended = await deliver({ url, body: rows });
    expect(ended.error).toMatch(/400 Bad Request: bad: \[?"\*\*\*/);
    expect(ended.error).not.toMatch(/name\d|row\d/);
  });
});

describe('an answer that does not end', () => {
  /** Writes as long as the connection lasts, and counts. */
  const flood = (code: number) => {
    const sent = { bytes: 0, isClosed: false };
    const answer: Answer = (response) => {
      response.writeHead(code, { 'content-length': String(1e9) });
      const chunk = Buffer.alloc(65_536, 'x');
      const write = () => {
        while (!sent.isClosed && sent.bytes < 1e9 && response.write(chunk)) sent.bytes += chunk.length;
      };
      response.on('drain', write).on('close', () => {
        sent.isClosed = true;
      });
      write();
    };
    return { sent, answer };
  };

  test('of 1 GB is cut: the status alone decides', async () => {
    for (const [code, ended] of [
      [200, { outcome: 'completed', result: { status: 200, answerCut: true } }],
      [500, { outcome: 'retry', error: expect.stringMatching(/500 Internal Server Error: x{299}…$/) }],
    ] as const) {
      const { sent, answer } = flood(code);
      const { url } = await startReceiver(answer);
      expect(await deliver({ url, body: 1 })).toMatchObject(ended);
      await until(() => sent.isClosed, 'the connection is closed');
      // What the sockets of both sides hold.
      expect(sent.bytes).toBeLessThan(50e6);
    }
  });

  test('within its time is left, and one that does not begin is tried again', async () => {
    const drip = await startReceiver((response) => response.writeHead(200).write('so'));
    expect(await deliver({ url: drip.url, body: 1 }, { timeoutMs: 300 })).toMatchObject({
      outcome: 'completed',
      result: { status: 200, answerCut: true },
    });
    const silent = await startReceiver(() => undefined);
    expect(await deliver({ url: silent.url, body: 1 }, { timeoutMs: 300 })).toMatchObject({
      outcome: 'retry',
      error: expect.stringContaining('no answer within 300 ms'),
    });
  });

  test('since the job was cancelled is left at once', async () => {
    const { url, calls } = await startReceiver(() => undefined);
    const abort = new AbortController();
    const ended = deliver({ url, body: 1 }, {}, { signal: abort.signal, abortAs: 'cancelled' });
    await until(() => calls.length > 0, 'the receiver has it');
    abort.abort();
    expect(await ended).toMatchObject({ outcome: 'failed', error: 'cancelled' });
  });
});

describe('tried again', () => {
  test('where nobody listens, or the name is unknown', async () => {
    const server = createTcpServer();
    const port = await listen(server, '127.0.0.1');
    await new Promise((resolve) => server.close(resolve));
    expect(await deliver({ url: `http://127.0.0.1:${port}`, body: 1 })).toMatchObject({
      outcome: 'retry',
      error: expect.stringContaining('ECONNREFUSED'),
    });
    expect(await deliver({ url: 'http://shop.invalid/', body: 1 })).toMatchObject({
      outcome: 'retry',
      error: expect.stringMatching(/not delivered to shop\.invalid: .*(ENOTFOUND|EAI_AGAIN)/),
    });
  });

  test.each<[string, string]>([
    ['closes the connection', ''],
    ['does not speak HTTP', '220 mail.example.com ESMTP\r\n'],
    ['breaks off in the headers', 'HTTP/1.1 200 OK\r\nContent-'],
  ])('where the other side %s', async (_name, words) => {
    const server = createTcpServer((socket) => socket.once('data', () => socket.end(words)));
    const port = await listen(server, '127.0.0.1');
    closers.push(() => new Promise((resolve) => server.close(resolve)));
    for (const protocol of ['http', 'https'])
      expect(await deliver({ url: `${protocol}://127.0.0.1:${port}`, body: 1 })).toMatchObject({ outcome: 'retry' });
  });

  test('where the other side would speak another protocol, which nobody asked for', async () => {
    const server = createTcpServer((socket) =>
      socket.once('data', () =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
      ),
    );
    const port = await listen(server, '127.0.0.1');
    closers.push(() => new Promise((resolve) => server.close(resolve)));
    const ended = await deliver({ url: `http://127.0.0.1:${port}`, body: 1 }, {}, { grace: '100ms' });
    // Nothing is left of the connection: closing the server waits for that.
    expect(ended).toMatchObject({
      outcome: 'retry',
      error: expect.stringMatching(/it answered 101 Switching Protocols$/),
    });
  });

  test('where no connection comes about in time', async () => {
    const never: LookupFunction = () => undefined;
    expect(
      await deliver({ url: 'http://slow.example.com/', body: 1 }, { lookup: never, connectMs: 100 }),
    ).toMatchObject({ outcome: 'retry', error: expect.stringContaining('no connection within 100 ms') });
  });
});

describe('only the public internet is reached', () => {
  test.each([
    '127.0.0.1',
    '127.255.0.9',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '0.1.2.3',
    '192.0.0.1',
    '198.18.0.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '168.63.129.16',
    '::ffff:168.63.129.16',
    '64:ff9b::a83f:8110',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    '100::1',
    '4000::1',
    '',
    'localhost',
    '127.1',
  ])('not %s', (address) => {
    expect(checkAddresses([])(address)).toBe(false);
  });

  test.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::808:808'])(
    'but %s',
    (address) => {
      expect(checkAddresses([])(address)).toBe(true);
    },
  );

  test('and what the setting allows', () => {
    const isAllowed = checkAddresses(['127.0.0.1', '10.1.0.0/16', 'fd00::/8']);
    for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '10.1.2.3', 'fd12::1', '8.8.8.8'])
      expect({ address, allowed: isAllowed(address) }).toEqual({ address, allowed: true });
    for (const address of ['127.0.0.2', '10.2.0.1', 'fc00::1', '::1'])
      expect({ address, allowed: isAllowed(address) }).toEqual({ address, allowed: false });
  });

  test('and what it allows as IPv4 addresses within IPv6, and no more', () => {
    const isAllowed = checkAddresses(['::ffff:10.0.0.0/104', '::ffff:192.168.1.7', '64:ff9b::/96', '::/64']);
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '192.168.1.7'])
      expect({ address, allowed: isAllowed(address) }).toEqual({ address, allowed: true });
    for (const address of ['192.168.1.8', '127.0.0.1', '172.16.0.1'])
      expect({ address, allowed: isAllowed(address) }).toEqual({ address, allowed: false });
  });

  test('in whatever notation the URL has it', async () => {
    const { port, calls } = await startReceiver();
    const hosts = [
      '127.0.0.1',
      '2130706433',
      '0x7f000001',
      '0177.0.0.1',
      '127.1',
      '127.0.0.1.',
      '１２７.0.0.1',
      '0.0.0.0',
      '0',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[::]',
      'localhost',
      'LOCALHOST',
    ];
    for (const host of hosts) {
      const ended = await deliver({ url: `http://${host}:${port}/`, body: 1 }, { allowPrivate: [] });
      expect({ host, ...ended }).toMatchObject({
        outcome: 'failed',
        error: expect.stringMatching(/is no host of the public internet; .*WEBHOOK_ALLOW_PRIVATE/),
      });
    }
    expect(await deliver({ url: 'http://169.254.169.254/latest/', body: 1 })).toMatchObject({ outcome: 'failed' });
    expect(calls).toEqual([]);
  });

  test('by a name whose address changes: what is checked is what is connected to', async () => {
    const { port, calls } = await startReceiver();
    const answers = [['203.0.113.9'], ['127.0.0.1'], ['127.0.0.1', '10.0.0.1']];
    let asked = 0;
    const rebinding: LookupFunction = (_name, options, done) => {
      const found = (answers[asked++] ?? []).map((address) => ({ address, family: 4 }));
      if (options.all === true) done(null, found);
      else done(null, found[0]?.address ?? '', 4);
    };
    const url = `http://rebind.example.com:${port}/`;
    for (let attempt = 1; attempt <= answers.length; attempt++)
      expect(await deliver({ url, body: 1 }, { allowPrivate: [], lookup: rebinding })).toMatchObject({
        outcome: 'failed',
      });
    expect(asked).toBe(answers.length);
    expect(calls).toEqual([]);
    // Of several addresses only those that are allowed are tried.
    answers.push(['10.0.0.1', '127.0.0.1', '169.254.169.254']);
    expect(await deliver({ url, body: 1 }, { lookup: rebinding })).toMatchObject({ outcome: 'completed' });
    expect(asked).toBe(answers.length);
    expect(calls).toHaveLength(1);
  });
});

describe('by a run', () => {
  let shop: Workshop;
  beforeAll(async () => {
    shop = await openWorkshop('run-jobs.js');
  });
  const env = { WEBHOOK_SECRET: `whsec_${KEY} whsec_${OLD_KEY}`, WEBHOOK_ALLOW_PRIVATE: '127.0.0.1' };

  test('a receiver that is busy at first gets it again with the same id; no secret is told anywhere', async () => {
    let busy = true;
    const { url, calls } = await startReceiver((response) => {
      response.writeHead(busy ? 503 : 200, busy ? { 'retry-after': '120' } : {}).end('one moment');
      busy = false;
    });
    const hook = url.replace('//', '//mailer:hunter22@');
    const id = await shop.add('webhook.deliver', { url: `${hook}/t0ps3cret`, body: EVENT });
    const first = await shop.run([], { ...env, LOG_LEVEL: 'debug' });
    expect(first.code).toBe(0);
    const waiting = await shop.job(id);
    expect(waiting).toMatchObject({ status: 'pending', attempts: 1 });
    expect(waiting['last_error']).toMatch(/it answered 503 Service Unavailable: one moment$/);
    const [{ pause } = { pause: 0 }] = await shop.rows(
      'SELECT TIMESTAMPDIFF(SECOND, NOW(), run_at) AS pause FROM background_jobs',
    );
    expect(Number(pause)).toBeGreaterThan(100);
    await shop.db.pool.query('UPDATE background_jobs SET run_at = NOW(3)');
    const second = await shop.run([], { ...env, LOG_LEVEL: 'debug' });
    expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 2 });
    expect(new Set(calls.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    const told = JSON.stringify([first, second, waiting['last_error']]);
    for (const secret of [KEY, OLD_KEY, 'hunter22', 't0ps3cret', 'order.paid']) expect(told).not.toContain(secret);
  });

  const testTls = hasOpenssl() ? test : test.skip;
  testTls('over https: a certificate that holds is taken, any other is not, and 101 ends there too', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rowlock-webhook-'));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
    const good = new Authority(folder, 'good');
    const names = ['IP:127.0.0.1'];
    const change: Answer = (response) =>
      response.socket?.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    const taken = await startReceiver(status(204), good.sign(names));
    const refused = [
      await startReceiver(status(204), new Authority(folder, 'stranger').sign(names)),
      await startReceiver(status(204), good.sign(['DNS:shop.example.com'])),
      await startReceiver(status(204), good.sign(names, { days: -1 })),
    ];
    const changing = await startReceiver(change, good.sign(names));
    const ids: number[] = [];
    for (const { url } of [taken, ...refused, changing])
      ids.push(await shop.add('webhook.deliver', { url: `${url}/t0ps3cret`, body: EVENT }));
    expect(await shop.run([], { ...env, NODE_EXTRA_CA_CERTS: good.file })).toMatchObject({ code: 0 });
    const [done, unknown, otherName, expired, changed] = await Promise.all(ids.map((id) => shop.job(id)));
    expect(done).toMatchObject({ status: 'completed' });
    for (const job of [unknown, otherName, expired, changed])
      expect(job).toMatchObject({ status: 'pending', attempts: 1 });
    expect(unknown?.['last_error']).toMatch(/unable to (verify|get).*certificate/);
    expect(otherName?.['last_error']).toMatch(/IP: 127\.0\.0\.1 is not in the cert/);
    expect(expired?.['last_error']).toMatch(/certificate has expired/);
    expect(changed?.['last_error']).toMatch(/it answered 101 Switching Protocols$/);
    expect(taken.calls).toHaveLength(1);
    expect(refused.flatMap(({ calls }) => calls)).toEqual([]);
  });

  test('a setting that is wrong is named, and not shown', async () => {
    const wrong = { WEBHOOK_SECRET: 'whsec_dG9vIHNob3J0', WEBHOOK_ALLOW_PRIVATE: '10.0.0.0/99' };
    const { code, stderr } = await shop.run([], wrong);
    expect(code).toBe(78);
    expect(stderr).toMatch(
      /WEBHOOK_SECRET is not of the form whsec_….*WEBHOOK_ALLOW_PRIVATE "10\.0\.0\.0\/99" is no list/s,
    );
    expect(stderr).not.toContain('dG9vIHNob3J0');
  });
});
