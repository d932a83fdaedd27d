import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SMTPServerOptions } from 'smtp-server';
import { type BroadcastBench, openBroadcastBench } from './support/broadcast';
import { reply, startMailServer } from './support/mail-server';

let bench: BroadcastBench;
beforeAll(async () => {
  bench = await openBroadcastBench();
  writeFileSync(join(bench.files, 'three.csv'), 'email\nann@example.org\nbob@example.org\ncarl@example.org\n');
});
beforeEach(() => bench.clear());

jest.setTimeout(60_000); // some start several runs

const ORDER = { template: { subject: 'Hello', text: 'Hi' }, recipients: 'three.csv' };

/** The mails by recipient, after a run that sends them to such a server. */
async function send(url: string) {
  await bench.run([], { SMTP_URL: url });
  const mails = await bench.mails();
  return Object.fromEntries(
    mails.map(({ payload, status, attempts, error }) => [payload.to, { status, attempts, error }]),
  );
}

/** What waits for its next attempt is due. */
const makeDue = () => bench.db.pool.query("UPDATE background_jobs SET run_at = NOW() WHERE status = 'pending'");

const startServer = (options: SMTPServerOptions) => startMailServer(options);

test('a recipient that is refused fails that one mail, for good, and no other', async () => {
  const { url, mails } = await startServer({
    onRcptTo: ({ address }, _session, done) => done(address.startsWith('bob') ? reply(550, 'no such user') : null),
  });
  const id = await bench.add(ORDER);
  expect(await send(url)).toEqual({
    'ann@example.org': { status: 'completed', attempts: 1, error: null },
    'bob@example.org': { status: 'failed', attempts: 1, error: expect.stringContaining('550 no such user') },
    'carl@example.org': { status: 'completed', attempts: 1, error: null },
  });
  expect(mails).toHaveLength(2);
  expect(await bench.job(id)).toMatchObject({ status: 'completed', result: { enqueued: 3 } });
});

test('a mail server that is down: each mail waits, says why, and is sent once it is up', async () => {
  const down = await startServer({});
  await down.stop();
  await bench.add(ORDER);
  const waits = {
    status: 'pending',
    attempts: 1,
    error: expect.stringMatching(
      /^the e-mail was not sent: .*ECONNREFUSED.*; see whether the mail server of SMTP_URL is up$/,
    ),
  };
  expect(await send(down.url)).toEqual({
    'ann@example.org': waits,
    'bob@example.org': waits,
    'carl@example.org': waits,
  });

  await makeDue();
  const sent = { status: 'completed', attempts: 2, error: expect.anything() };
  expect(await send(bench.server.url)).toEqual({
    'ann@example.org': sent,
    'bob@example.org': sent,
    'carl@example.org': sent,
  });
  expect(bench.server.mails).toHaveLength(3);
});

test('a mail server that hangs up in the middle of each message gets each once more, under its Message-ID', async () => {
  const seen: string[] = [];
  const server = await startServer({
    onData: (stream) => {
      stream.once('data', (chunk: Buffer) => {
        seen.push(/^Message-ID: (\S+)/im.exec(chunk.toString())?.[1] ?? '');
        server.hangUp();
      });
      stream.resume();
    },
  });
  await bench.add(ORDER);
  const waits = {
    status: 'pending',
    attempts: 1,
    error: expect.stringMatching(/^the e-mail was not sent: .*; see whether/),
  };
  expect(await send(server.url)).toEqual({
    'ann@example.org': waits,
    'bob@example.org': waits,
    'carl@example.org': waits,
  });
  await makeDue();
  await send(bench.server.url);
  const ids = bench.server.mails.map(({ messageId }) => messageId);
  expect(ids).toHaveLength(3);
  expect(ids).toEqual(expect.arrayContaining([...new Set(seen)]));
});
