import type { SMTPServerOptions } from 'smtp-server';
import { isUnrecoverable, messageOf } from '../src/errors';
import { type EmailResult, emailSend } from '../src/jobs/email-send';
import type { JobContext } from '../src/worker/define';
import { validate } from '../src/worker/payload';
import { reply, startMailServer } from './support/mail-server';
import { until } from './support/until';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface SendOptions {
  id?: number;
  attempt?: number;
  signal?: AbortSignal;
  mailFrom?: string;
}

function job(url: string, mailFrom: string | undefined = 'Shop <shop@example.com>') {
  const definition = emailSend({ smtpUrl: url, mailFrom });
  closers.push(() => definition.close?.());
  const warnings: string[] = [];
  const send = async (
    payload: unknown,
    { id = 7, attempt = 1, signal = new AbortController().signal }: SendOptions = {},
  ) => {
    const checked =
      definition.payload === undefined ? { refused: 'no schema' } : await validate(definition.payload, payload);
    if (checked.refused !== undefined) throw new Error(checked.refused);
    const context = {
      job: {
        id,
        attempt,
        type: 'email.send',
        queue: 'default',
        maxAttempts: 8,
        createdAt: new Date('2026-01-02T03:04:05.678Z'),
      },
      signal,
      log: { warn: (message: string) => warnings.push(message) },
    } as unknown as JobContext;
    return (await definition.run(checked.value, context)) as EmailResult;
  };
  return { send, warnings, definition };
}

const plain = { to: 'ann@example.org', subject: 'Hello', text: 'Hi' };
const thrownBy = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

test('what the payload says arrives', async () => {
  const { url, mails } = await startMailServer();
  const result = await job(url).send({
    to: ['Ann Ö <ann@example.org>', 'bob@example.org'],
    cc: '"Carl, the third" <carl@example.org>',
    bcc: 'dora@example.org',
    replyTo: 'help@example.com',
    from: 'Sales <sales@example.net>',
    subject: 'Größe 😀',
    text: 'plain\r\n.\r\nBcc: x@y',
    html: '<b>bold</b>',
  });
  expect(result).toEqual({
    messageId: expect.stringMatching(/^<[0-9a-f]{32}@example\.net>$/),
    accepted: ['ann@example.org', 'bob@example.org', 'carl@example.org', 'dora@example.org'],
    rejected: [],
    reply: '250 queued as 1',
  });
  const [mail] = mails;
  expect(mail).toMatchObject({
    subject: 'Größe 😀',
    html: expect.stringContaining('<b>bold</b>'),
    messageId: result.messageId,
  });
  expect(mail?.text).toMatch(/^plain\r?\n\.\r?\nBcc: x@y/);
  expect(mail?.from?.text).toBe('"Sales" <sales@example.net>');
  expect(mail?.replyTo?.text).toBe('help@example.com');
  expect(mail?.headers.has('bcc')).toBe(false);
  expect(mail?.cc).toMatchObject({ value: [{ name: 'Carl, the third', address: 'carl@example.org' }] });
});

test('a mail to many says where one is taken off the list', async () => {
  const { url, mails } = await startMailServer();
  const unsubscribe = 'https://example.com/u?a=1&b=%20';
  await job(url).send({ ...plain, unsubscribe });
  const headers = mails[0]?.headerLines.map(({ line }) => line);
  expect(headers).toContain(`List-Unsubscribe: <${unsubscribe}>`);
  expect(headers).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click');
});

test('the Message-ID stays with the job, whatever the attempt, and differs between jobs', async () => {
  const { url } = await startMailServer();
  const { send } = job(url);
  const first = await send(plain);
  expect((await send(plain, { attempt: 2 })).messageId).toBe(first.messageId);
  expect((await send(plain, { id: 8 })).messageId).not.toBe(first.messageId);
  expect(first.messageId).toMatch(/@example\.com>$/);
});

test('many mails go over one connection, and close ends it', async () => {
  const { url, mails, connections, server } = await startMailServer();
  const { send, definition } = job(url);
  for (let id = 1; id <= 5; id++) await send(plain, { id });
  expect(mails).toHaveLength(5);
  expect(connections()).toBe(1);
  definition.close?.();
  await until(() => server.connections.size === 0, 'the connection has ended');
});

describe('a payload is refused', () => {
  test.each([
    ['two addresses in one string', { ...plain, to: 'a@example.org, b@example.org' }, 'to: is no e-mail address'],
    ['a list with a bad one', { ...plain, to: ['a@example.org', 'b'] }, 'to.1: is no e-mail address'],
    ['nobody', { ...plain, to: [] }, 'to: '],
    ['a line break in an address', { ...plain, to: 'a@example.org\r\nBcc: b@example.org' }, 'to: is no e-mail address'],
    [
      'a line break in a name',
      { ...plain, from: 'A\nBcc: b@example.org <a@example.org>' },
      'from: is no e-mail address',
    ],
    ['a line break in the subject', { ...plain, subject: 'Hi\r\nBcc: b@example.org' }, 'subject: has a line break'],
    [
      'a line break in an address to unsubscribe at',
      { ...plain, unsubscribe: 'https://a.b/\r\nBcc: x' },
      'unsubscribe: is no',
    ],
    ['two addresses to unsubscribe at', { ...plain, unsubscribe: 'https://a.b/>, <mailto:x' }, 'unsubscribe: is no'],
    ['no text at all', { to: 'a@example.org', subject: '' }, 'text: is missing, and so is html'],
    ['a file in place of text', { ...plain, text: { path: '/etc/passwd' } }, 'text: '],
    ['an unknown field', { ...plain, attachments: [] }, 'Unrecognized key: "attachments"'],
    ['null', null, 'expected object'],
  ])('for %s', async (_name, payload, fault) => {
    await expect(job('smtp://127.0.0.1:1').send(payload)).rejects.toThrow(fault);
  });
});

describe('a refusal of the server is final', () => {
  test.each<[string, SMTPServerOptions]>([
    ['of the recipient', { onRcptTo: (_address, _session, done) => done(reply(550, 'no such user')) }],
    ['of the sender', { onMailFrom: (_address, _session, done) => done(reply(553, 'sender not allowed')) }],
    [
      'of the message',
      { onData: (stream, _session, done) => void stream.resume().on('end', () => done(reply(554, 'spam'))) },
    ],
  ])('%s', async (_name, options) => {
    const { url } = await startMailServer(options);
    const error = await thrownBy(job(url).send(plain));
    expect(isUnrecoverable(error)).toBe(true);
    expect(messageOf(error)).toMatch(/the e-mail was not sent: .*55\d/);
  });
});

describe('the mail is tried again', () => {
  test.each<[string, SMTPServerOptions]>([
    ['after 451 for the recipient', { onRcptTo: (_address, _session, done) => done(reply(451, 'greylisted')) }],
    [
      'after 451 for the message',
      { onData: (stream, _session, done) => void stream.resume().on('end', () => done(reply(451, 'later'))) },
    ],
    [
      'where one of two refusals may pass',
      { onRcptTo: ({ address }, _session, done) => done(reply(address.startsWith('a') ? 451 : 550, 'no')) },
    ],
    ['where the server greets with 554', { onConnect: (_session, done) => done(reply(554, 'go away')) }],
    ['where it wants a login first', { authOptional: false }],
  ])('%s', async (_name, options) => {
    const { url } = await startMailServer(options);
    const error = await thrownBy(job(url).send({ ...plain, to: ['a@example.org', 'b@example.org'] }));
    expect(error).toBeInstanceOf(Error);
    expect(isUnrecoverable(error)).toBe(false);
  });

  test('where nobody listens', async () => {
    const { url, stop } = await startMailServer();
    await stop();
    const error = await thrownBy(job(url).send(plain));
    expect(messageOf(error)).toContain('ECONNREFUSED');
    expect(isUnrecoverable(error)).toBe(false);
  });

  test('where the connection breaks in the middle of the message, which is sent no second time by itself', async () => {
    let tries = 0;
    const { url, hangUp } = await startMailServer({
      onData: (stream) => {
        tries += 1;
        stream.resume();
        hangUp();
      },
    });
    const { send } = job(url);
    const error = await thrownBy(send({ ...plain, text: 'x'.repeat(1e6) }));
    expect(error).toBeInstanceOf(Error);
    expect(isUnrecoverable(error)).toBe(false);
    expect(tries).toBe(1);
  });

  test('where there is no sender', async () => {
    const { url } = await startMailServer();
    const definition = emailSend({ smtpUrl: url });
    const checked = definition.payload === undefined ? { refused: '' } : await validate(definition.payload, plain);
    const error = await thrownBy((async () => definition.run((checked as { value: never }).value, {} as JobContext))());
    expect(messageOf(error)).toContain('MAIL_FROM');
    expect(isUnrecoverable(error)).toBe(false);
  });
});

test('a server that refuses one of many gets the mail to the others, and the result lists both', async () => {
  const { url, mails } = await startMailServer({
    onRcptTo: ({ address }, _session, done) => done(address === 'gone@example.org' ? reply(550, 'no such user') : null),
  });
  const { send, warnings } = job(url);
  expect(await send({ ...plain, to: ['ann@example.org', 'gone@example.org', 'bob@example.org'] })).toMatchObject({
    accepted: ['ann@example.org', 'bob@example.org'],
    rejected: [{ address: 'gone@example.org', reply: '550 no such user' }],
  });
  expect(mails).toHaveLength(1);
  expect(warnings).toEqual(['the mail server refused some recipients']);
});

test('a wrong password is tried again, and stands in no message', async () => {
  const { url } = await startMailServer(
    {
      onAuth: (auth, _session, done) =>
        done(
          reply(
            535,
            `no: ${auth.username} ${auth.password} ${Buffer.from(`\0${auth.username}\0${auth.password}`).toString('base64')}`,
          ),
        ),
    },
    'mailer:s%3Acret@',
  );
  const error = await thrownBy(job(url).send(plain));
  expect(isUnrecoverable(error)).toBe(false);
  expect(messageOf(error)).toContain('535');
  for (const secret of ['s:cret', 's%3Acret', Buffer.from('\0mailer\0s:cret').toString('base64')])
    expect(messageOf(error)).not.toContain(secret);
});

test('an abort ends a conversation that hangs', async () => {
  let began = false;
  const { url } = await startMailServer({
    onData: (stream) => {
      began = true;
      stream.resume(); // and never an answer
    },
  });
  const abort = new AbortController();
  const sending = thrownBy(job(url).send(plain, { signal: abort.signal }));
  await until(() => began, 'the server has the message');
  abort.abort();
  expect(await sending).toBeInstanceOf(Error);
});
