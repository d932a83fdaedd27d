import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BroadcastBench, openBroadcastBench } from './support/broadcast';

let bench: BroadcastBench;
beforeAll(async () => {
  bench = await openBroadcastBench();
});
beforeEach(() => bench.clear());

jest.setTimeout(60_000); // some start several runs

const file = (name: string, content: string | Buffer) => writeFileSync(join(bench.files, name), content);
const TEMPLATE = { subject: 'Hello {{name}}', text: 'Dear {{name}}' };
/** The mails are enqueued, in a queue of their own, and not sent. */
const FAN_OUT = ['--queue', 'default'];

/** One run with this broadcast alone. */
async function broadcast(payload: object, env: Record<string, string> = {}) {
  const id = await bench.add({ template: TEMPLATE, queue: 'mail', ...payload });
  await bench.run(FAN_OUT, env);
  return { ...(await bench.job(id)), mails: await bench.mails() };
}

test('everybody in a CSV file gets a mail of their own, behind those that people wait for', async () => {
  file('two.csv', 'email,name\nann@example.org,Ann\nBob B <bob@example.org>,Bob\n');
  const id = await bench.add({ template: TEMPLATE, recipients: 'two.csv', replyTo: 'help@example.com' });
  expect(await bench.run()).toMatchObject({ code: 0, stderr: '' });
  expect(await bench.job(id)).toMatchObject({
    status: 'completed',
    result: { recipients: 2, enqueued: 2, skipped: { duplicate: 0, faulty: 0 }, faults: [] },
  });
  const sent = bench.server.mails.map(({ to, from, replyTo, subject, text }) => ({
    to: [to ?? []].flat()[0]?.text,
    from: from?.text,
    replyTo: replyTo?.text,
    subject,
    text: text?.trim(),
  }));
  const each = { from: '"Shop" <shop@example.com>', replyTo: 'help@example.com' };
  expect(sent.sort((a, b) => String(a.to).localeCompare(String(b.to)))).toEqual([
    { ...each, to: '"Bob B" <bob@example.org>', subject: 'Hello Bob', text: 'Dear Bob' },
    { ...each, to: 'ann@example.org', subject: 'Hello Ann', text: 'Dear Ann' },
  ]);
  const mail = { status: 'completed', queue: 'default', priority: 10 };
  expect(await bench.mails()).toMatchObject([mail, mail]);
});

test('a byte order mark, CRLF, quotes, blank lines and another delimiter are no trouble', async () => {
  file('odd.csv', '\uFEFFname;email\r\n"Öz; ""the"" 😀\r\nsecond";a@example.org\r\n\r\n;b@example.org');
  const template = { subject: 'Hello {{name}}', text: 'Dear {{name}}{% unless name %}you{% endunless %}' };
  const { mails } = await broadcast({ template, recipients: 'odd.csv', delimiter: ';' });
  expect(mails.map(({ payload }) => payload)).toEqual([
    { to: 'a@example.org', subject: 'Hello Öz; "the" 😀 second', text: 'Dear Öz; "the" 😀\r\nsecond' },
    { to: 'b@example.org', subject: 'Hello', text: 'Dear you' },
  ]);
});

test('who has no address, a broken line, or had theirs already is skipped and counted', async () => {
  const lines = [
    'email,name',
    'a@example.org,A',
    ',B',
    'nobody,C',
    'A@Example.ORG,A again',
    'd@example.org',
    'e@f.g,E',
  ];
  file('some.csv', lines.join('\n'));
  const { result, mails } = await broadcast({ recipients: 'some.csv' });
  expect(mails.map(({ payload }) => payload.to)).toEqual(['a@example.org', 'e@f.g']);
  expect(result).toEqual({
    recipients: 6,
    enqueued: 2,
    skipped: { duplicate: 1, faulty: 3 },
    faults: [
      { line: 3, why: 'has no address' },
      { line: 4, why: '"email" is no e-mail address' },
      { line: 6, why: 'has 1 columns, and the first line 2' },
    ],
  });
});

test('HTML is escaped, and nothing else; no value begins a header, and none is read as a template', async () => {
  const name = '<b>"O\'Neil" & {{points}}</b>\r\nBcc: eve@example.org';
  file('evil.ndjson', `${JSON.stringify({ email: 'a@example.org', name })}\n`);
  const template = { subject: 'Hi {{name}}', text: '{{name}}', html: '<p>{{name}}{{ sign }}</p>' };
  const id = await bench.add({ template, recipients: 'evil.ndjson', values: { sign: '<' } });
  await bench.run();
  expect(await bench.job(id)).toMatchObject({ status: 'completed' });
  const [mail] = bench.server.mails;
  expect(mail?.headers.has('bcc')).toBe(false);
  expect(mail).toMatchObject({
    subject: 'Hi <b>"O\'Neil" & {{points}}</b> Bcc: eve@example.org',
    text: expect.stringMatching(/^<b>"O'Neil" & \{\{points\}\}<\/b>\r?\nBcc: eve@example.org/),
    html: expect.stringMatching(
      /<p>&lt;b&gt;&#34;O&#39;Neil&#34; &amp; \{\{points\}\}&lt;\/b&gt;\r?\nBcc: eve@example.org&lt;<\/p>/,
    ),
  });
});

test('a template of the folder; JSON lines with values of every kind; a queue, a priority, a column of choice', async () => {
  const unsubscribe = 'https://example.com/u/{{ mail | url_encode }}\n';
  const parts = {
    subject: '{{ title }}: {{name}}\n',
    unsubscribe,
    txt: '{{address.city}} {{ n }} {{ nick | default: "friend" }}',
  };
  for (const [ending, text] of Object.entries(parts)) writeFileSync(join(bench.templates, `news.${ending}`), text);
  file(
    'people.ndjson',
    [
      '{"mail": "a@example.org", "name": "A", "n": 12345678901234567890, "nick": null, "address": {"city": "Ulm"}}',
      '{"mail": "b@example.org", "name": "B", "n": 1.5, "address": {"city": "Bonn"}, "title": "Mine"}',
      '{"mail": "c@example.org", "name": "C", "n": 0, "nick": "cc", "address": {}}',
      'no JSON',
    ].join('\n'),
  );
  const values = { title: 'News', name: 'never' };
  const order = { template: 'news', recipients: 'people.ndjson', values, column: 'mail', queue: 'bulk', priority: 99 };
  const { mails, result } = await broadcast(order);
  expect(mails).toMatchObject([
    {
      queue: 'bulk',
      priority: 99,
      payload: {
        subject: 'News: A',
        text: 'Ulm 12345678901234567890 friend',
        unsubscribe: 'https://example.com/u/a%40example.org',
      },
    },
    { queue: 'bulk', priority: 99, payload: { subject: 'Mine: B', text: 'Bonn 1.5 friend' } },
  ]);
  expect(result).toMatchObject({
    faults: [
      { line: 3, why: expect.stringContaining('undefined variable: address.city') },
      { line: 4, why: 'is no JSON object' },
    ],
  });
});

test('recipients of a query, with parameters, and with nothing to do where it has no rows', async () => {
  await bench.db.pool.query('CREATE TABLE IF NOT EXISTS customers (email VARCHAR(99), name VARCHAR(99), points INT)');
  await bench.db.users.allow('worker', 'SELECT', 'customers');
  await bench.db.pool.query(
    "INSERT INTO customers VALUES ('a@example.org', 'Ann Ö 😀', 7), ('b@example.org', NULL, 3)",
  );
  writeFileSync(
    join(bench.queries, 'rich.sql'),
    '-- those with some points\nSELECT email, name, points FROM customers WHERE points >= :least ORDER BY email;\n',
  );
  const template = { subject: '{{points}}', text: '{{ name | default: "you" }}' };
  const { mails } = await broadcast({ template, recipients: 'rich', params: { least: 3 } });
  expect(mails.map(({ payload }) => payload)).toEqual([
    { to: 'a@example.org', subject: '7', text: 'Ann Ö 😀' },
    { to: 'b@example.org', subject: '3', text: 'you' },
  ]);
  const { status, result } = await broadcast({ template, recipients: 'rich', params: { least: 8 } });
  expect({ status, result }).toMatchObject({ status: 'completed', result: { recipients: 0, enqueued: 0 } });
});

describe('fails for good, before any mail is enqueued', () => {
  const CASES: [string, object, string][] = [
    ['no such file', { recipients: 'none.csv' }, 'there is no file none.csv in JOB_FILES_DIR; put it there'],
    ['a path out of the folder', { recipients: '../queries/secret.csv' }, 'leads out of JOB_FILES_DIR'],
    ['a link out of the folder', { recipients: 'link.csv' }, 'leads out of JOB_FILES_DIR'],
    ['a folder', { recipients: 'folder.csv' }, 'is no plain file'],
    ['an empty file', { recipients: 'empty.csv' }, 'empty.csv is empty; its first line names the columns'],
    ['a file with zero bytes in it', { recipients: 'binary.csv' }, 'is no text: it has a zero byte in it'],
    ['another encoding', { recipients: 'latin.csv' }, 'is not in UTF-8, or no text at all; convert it'],
    ['UTF-16', { recipients: 'utf16.csv' }, 'utf16.csv is UTF-16; convert it'],
    ['a picture', { recipients: 'picture.csv' }, 'is not in UTF-8'],
    ['another delimiter', { recipients: 'semicolons.csv' }, 'give "delimiter" as it is in the file'],
    ['no header', { recipients: 'headless.csv' }, 'the first line of headless.csv is a recipient'],
    ['a column twice', { recipients: 'twice.csv' }, 'twice.csv has two columns named "name"; rename one of them'],
    ['no such column', { recipients: 'fine.csv', column: 'mail' }, 'has no column "mail", only email, name'],
    [
      'a quote that is never closed',
      { recipients: 'quote.csv' },
      'quote.csv has a quote that is never closed, at line',
    ],
    ['a quote in the middle', { recipients: 'middle.csv' }, 'has a quote in the middle of a value'],
    ['megabytes on one line', { recipients: 'long.csv' }, 'has a line of more than 1000000 characters'],
    ['megabytes on one line of JSON', { recipients: 'long.ndjson' }, 'has a line of more than 1000000 characters'],
    ['no JSON lines', { recipients: 'csv.ndjson' }, 'line 1 of csv.ndjson is no JSON object'],
    [
      'nobody with an address',
      { recipients: 'nobody.csv' },
      'none of the 2 recipients can get a mail, the first since line 2 has no address',
    ],
    ['a quote for a delimiter', { delimiter: '"' }, 'delimiter: is not one character such as , or ; or a tab'],
    [
      'columns without a name',
      { recipients: 'nameless.csv' },
      'nameless.csv has no column "email", and none with a name',
    ],
    ['no such query', { recipients: 'nothing' }, 'there is no query nothing; add nothing.sql to'],
    ['a parameter that is missing', { recipients: 'one' }, 'query one: parameter "email" is missing'],
    ['neither a file nor a query', { recipients: 'a.xlsx' }, 'recipients: is neither a file that ends in .csv'],
    ['a name without a value', { template: { subject: '', text: '{{nmae}}' } }, '{{nmae}} (did you mean {{name}}?)'],
    [
      'a name without a value in some branch',
      { template: { subject: '', html: '{% if name %}{% else %}{{ x | default: 1 }}{% endif %}' } },
      'the template has {{x}}, and the recipients have no such column; they have email, name',
    ],
    [
      'a template that is not closed',
      { template: { subject: '{{name', text: '' } },
      "template's subject has a mistake",
    ],
    ['an unknown filter', { template: { subject: '', text: '{{name | shout}}' } }, "the template's text has a mistake"],
    [
      'a file for a template',
      { template: { subject: '', text: '{% include "/etc/passwd" %}' } },
      'asks for another one',
    ],
    ['a template without a text', { template: { subject: '' } }, 'template: '],
    ['no such template', { template: 'nowhere' }, 'the template nowhere is not whole; add nowhere.subject to'],
    ['half a template', { template: 'half' }, 'the template half is not whole; add half.txt or half.html or both to'],
    ['a queue that the table cannot hold', { queue: 'bulk ' }, 'queue: is empty, or ends with a space'],
    ['a sender that is none', { from: 'shop' }, 'from: is no e-mail address'],
  ];
  const jobs: number[] = [];

  beforeAll(async () => {
    await bench.clear();
    writeFileSync(join(bench.queries, 'secret.csv'), 'email,name\na@example.org,A\n');
    symlinkSync(join(bench.queries, 'secret.csv'), join(bench.files, 'link.csv'));
    mkdirSync(join(bench.files, 'folder.csv'));
    writeFileSync(join(bench.queries, 'one.sql'), 'SELECT :email AS email');
    writeFileSync(join(bench.templates, 'half.subject'), 'Hi');
    file('fine.csv', 'email,name\na@example.org,A\n');
    file('headless.csv', 'a@example.org,A\nb@example.org,B\n');
    file('twice.csv', 'email,name,name\na@example.org,A,B\n');
    file('large.csv', `email,name\n${'a@example.org,A\n'.repeat(50_000)}`);
    file('empty.csv', '');
    file('binary.csv', 'email,name\na@example.org,A\0\n');
    file('latin.csv', Buffer.from('email,name\na@example.org,Jörg\n', 'latin1'));
    file('utf16.csv', Buffer.from('\uFEFFemail,name\na@example.org,A\n', 'utf16le'));
    file('picture.csv', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'));
    file('semicolons.csv', 'email;name\na@example.org;A\n');
    file('quote.csv', 'email,name\na@example.org,"A\nb@example.org,B\n');
    file('middle.csv', 'email,name\na@example.org,A "the" B\n');
    file('long.csv', `email,name\na@example.org,${'x'.repeat(3_000_000)}\n`);
    file('long.ndjson', `{"email": "${'x'.repeat(3_000_000)}"}`);
    file('csv.ndjson', 'email,name\na@example.org,A\n');
    file('nameless.csv', ',,\na@example.org,,\n');
    file('nobody.csv', 'email,name\n,A\n,B\n');
    for (const [, payload] of CASES)
      jobs.push(await bench.add({ template: TEMPLATE, recipients: 'fine.csv', ...payload }));
    await bench.run(FAN_OUT);
    rows = await Promise.all(jobs.map((id) => bench.job(id)));
    enqueued = (await bench.mails()).length;
  }, 60_000);
  let rows: Awaited<ReturnType<BroadcastBench['job']>>[] = [];
  let enqueued = -1;

  test.each(CASES.map(([name, , words], index) => ({ name, words, index })))('$name', ({ words, index }) => {
    expect(rows[index]).toMatchObject({ status: 'failed', attempts: 1, error: expect.stringContaining(words) });
    expect(rows[index]?.error).not.toContain('\n');
  });

  test('and there is no mail', () => {
    expect(enqueued).toBe(0);
  });
});

describe('is tried again', () => {
  test('where a setting is missing, a folder is not there, or the database refuses the query', async () => {
    file('fine.csv', 'email,name\na@example.org,A\n');
    writeFileSync(join(bench.queries, 'faulty.sql'), 'SELECT email FROM nowhere');
    const all = {
      template: await bench.add({ template: 'news', recipients: 'fine.csv' }),
      query: await bench.add({ template: TEMPLATE, recipients: 'faulty' }),
    };
    await bench.run(FAN_OUT, { MAIL_TEMPLATE_DIR: '' });
    const gone = await bench.add({ template: TEMPLATE, recipients: 'fine.csv' });
    await bench.run(FAN_OUT, { JOB_FILES_DIR: join(bench.files, 'not-mounted') });
    const noQueries = await bench.add({ template: TEMPLATE, recipients: 'faulty' });
    await bench.run(FAN_OUT, { MAIL_SQL_DIR: '' });
    const noFiles = await bench.add({ template: TEMPLATE, recipients: 'fine.csv' });
    await bench.run(FAN_OUT, { JOB_FILES_DIR: '' });
    for (const [id, words] of [
      [all.template, 'MAIL_TEMPLATE_DIR is not set'],
      [all.query, "the query's database at"],
      [gone, 'the folder of JOB_FILES_DIR cannot be entered (ENOENT); create it'],
      [noQueries, 'MAIL_SQL_DIR is not set'],
      [noFiles, 'JOB_FILES_DIR is not set'],
    ] as const) {
      expect(await bench.job(id)).toMatchObject({
        status: 'pending',
        attempts: 1,
        error: expect.stringContaining(words),
      });
    }
  });
});
