import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BroadcastBench, openBroadcastBench } from './support/broadcast';

let bench: BroadcastBench;
const jobs = new Map<string, number>();

/** Name, recipients, template. */
const CASES: [string, string, string, object][] = [
  ['a number', 'n.ndjson', people('"n": 1', '"n": 12345678901234567890', '"n": 3'), { text: '{{ n | plus: 1 }}' }],
  [
    'a percent sign',
    'percent.ndjson',
    people('"n": "a%20b"', '"n": "100%"', '"n": "c"'),
    { text: '{{ n | url_decode }}' },
  ],
  [
    'half a character',
    'half.ndjson',
    people('"n": "ä"', '"n": "\\ud800"', '"n": "c"'),
    { text: 'x', unsubscribe: 'https://example.com/{{ n | url_encode }}' },
  ],
  ['another template', 'include.ndjson', people('"n": "a"', '"n": "b"', '"n": "c"'), { text: '{% include n %}' }],
  [
    'an endless one',
    'endless.ndjson',
    people('"n": 1', '"n": 100000000', '"n": 3'),
    { text: '{% for i in (1..n) %}x{% endfor %}' },
  ],
  [
    'escaped',
    'escape.ndjson',
    people('"n": "<"'),
    { html: '{{ n }} {{ n | escape }} {{ n | escape | upcase }} {{ n | escape | newline_to_br | raw }}' },
  ],
  ['half a character in a text', 'text.ndjson', people('"n": "\\ud800"'), { text: '{{ n }}' }],
  ['empty columns', 'excel.csv', 'email,n,,\np0@example.org,1,,\np1@example.org,2,x,y\n', { text: '{{ n }}' }],
];

/** A line of JSON for each, with an address. */
function people(...members: string[]): string {
  return members.map((member, index) => `{"email": "p${index}@example.org", ${member}}\n`).join('');
}

beforeAll(async () => {
  bench = await openBroadcastBench();
  for (const [name, file, content, texts] of CASES) {
    writeFileSync(join(bench.files, file), content);
    const template = { subject: name, ...texts };
    jobs.set(name, await bench.add({ template, recipients: file, queue: 'mail' }));
  }
  await bench.run(['--queue', 'default']);
}, 60_000);

async function readCase(name: string) {
  const mails = (await bench.mails()).filter(({ payload }) => payload.subject === name);
  return { ...(await bench.job(jobs.get(name) ?? 0)), mails: mails.map(({ payload }) => payload) };
}

describe('a value that the template cannot take is one recipient put aside, and the others get their mail', () => {
  test.each([
    ['a number', '{{ n | plus: 1 }}: Cannot convert a BigInt value to a number'],
    ['a percent sign', '{{ n | url_decode }}: URI malformed'],
    ['half a character', '{{ n | url_encode }}: URI malformed'],
  ])('%s', async (name, words) => {
    const { mails, ...job } = await readCase(name);
    expect(job).toMatchObject({
      status: 'completed',
      result: {
        enqueued: 2,
        skipped: { faulty: 1 },
        faults: [{ line: 2, why: `does not fit the template at ${words}` }],
      },
    });
    expect(mails.map(({ to }) => to)).toEqual(['p0@example.org', 'p2@example.org']);
  });
});

describe('what is wrong for whoever gets it fails for good, with the line', () => {
  test.each([
    ['another template', 'the template cannot be filled in for line 1: it asks for another template; correct it'],
    ['an endless one', 'the template cannot be filled in for line 2: memory alloc limit exceeded; correct it'],
  ])('%s', async (name, words) => {
    expect(await readCase(name)).toMatchObject({
      status: 'failed',
      attempts: 1,
      error: expect.stringContaining(words),
    });
  });
});

test('what a template escapes itself is escaped once where it ends with that, and never unescaped', async () => {
  const { mails } = await readCase('escaped');
  expect(mails).toMatchObject([{ html: '&lt; &lt; &amp;LT; &lt;' }]);
});

test('columns without a name are none, as a spreadsheet leaves them at the end of each line', async () => {
  const { mails, ...job } = await readCase('empty columns');
  expect(job).toMatchObject({ status: 'completed', result: { enqueued: 2, faults: [] } });
  expect(mails.map(({ text }) => text)).toEqual(['1', '2']);
});

test('half a character in a text is stored as one that stands for it', async () => {
  expect(await readCase('half a character in a text')).toMatchObject({
    status: 'completed',
    mails: [{ text: '\ufffd' }],
  });
});
