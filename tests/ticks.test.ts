import { startTicking } from '../src/commands/ticking';
import { readTicks } from '../src/worker/ticks';
import { type Expected, listTicks } from './support/calendar';

/** Days in which some of these zones change their clocks: Lord Howe in the first, New York in the second, Berlin in both. */
const CHANGES = [
  { from: new Date('2027-03-26T00:00:00Z'), until: new Date('2027-04-06T00:00:00Z') },
  { from: new Date('2027-10-30T00:00:00Z'), until: new Date('2027-11-09T00:00:00Z') },
];

const YEAR = { from: new Date('2027-01-01T00:00:00Z'), until: new Date('2028-01-01T00:00:00Z') };

/** All ticks that the text has in a span. */
function ticksOf(text: string, timezone: string, { from, until }: { from: Date; until: Date } = YEAR): Date[] {
  const { next } = readTicks(text, timezone);
  const found: Date[] = [];
  for (let at = next(new Date(from.getTime() - 1)); at !== undefined && at < until; at = next(at)) found.push(at);
  return found;
}

const at = (hour: number, minute: number): Expected => ({
  isFixed: true,
  matches: (local) => local.hour === hour && local.minute === minute,
});

describe.each(['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata'])('in %s', (timezone) => {
  test.each<[string, Expected]>([
    ['30 2 * * *', at(2, 30)],
    ['0 2 * * *', at(2, 0)],
    ['15 1 * * *', at(1, 15)],
    [
      '0,45 1-3 * * *',
      { isFixed: true, matches: ({ hour, minute }) => [0, 45].includes(minute) && hour >= 1 && hour <= 3 },
    ],
    ['30 2 1 * *', { isFixed: true, matches: (local) => local.day === 1 && at(2, 30).matches(local) }],
    ['*/20 * * * *', { isFixed: false, matches: ({ minute }) => minute % 20 === 0 }],
    ['30 */2 * * *', { isFixed: false, matches: ({ hour, minute }) => hour % 2 === 0 && minute === 30 }],
    ['10 * * * SUN', { isFixed: false, matches: ({ minute, weekday }) => weekday === 0 && minute === 10 }],
    [
      '0 12 13 * 5',
      { isFixed: true, matches: (local) => (local.day === 13 || local.weekday === 5) && at(12, 0).matches(local) },
    ],
    [
      '0 12 */2 * 1',
      { isFixed: true, matches: (local) => local.day % 2 === 1 && local.weekday === 1 && at(12, 0).matches(local) },
    ],
    [
      '0 12 1 4,11 *',
      {
        isFixed: true,
        matches: (local) => local.day === 1 && [4, 11].includes(local.month) && at(12, 0).matches(local),
      },
    ],
    ['@monthly', { isFixed: true, matches: (local) => local.day === 1 && at(0, 0).matches(local) }],
  ])('%s ticks as a crontab has it', (text, expected) => {
    for (const span of CHANGES) {
      const ticks = listTicks(expected, timezone, span.from, span.until);
      expect(ticks.length).toBeGreaterThan(0);
      expect(ticksOf(text, timezone, span).map(toText)).toEqual(ticks.map(toText));
      const { newest } = readTicks(text, timezone);
      for (const [index, tick] of ticks.slice(0, 100).entries()) {
        expect(newest(tick)).toEqual(tick);
        if (index > 0) expect(newest(new Date(tick.getTime() - 1))).toEqual(ticks[index - 1]);
      }
    }
  });
});

const toText = (tick: Date): string => tick.toISOString();

test.each([
  ['the hour that is skipped: a time in it ticks when the clock has jumped', '30 2 * * *', '2027-03-28', ['01:00']],
  ['the hour that comes twice: a time in it ticks once', '30 2 * * *', '2027-10-31', ['00:30']],
  ['intervals go on past the hour that is skipped', '0 1-3/1 * * *', '2027-03-28', ['00:00', '01:00']],
  ['intervals go on through the hour that comes twice', '30 1-3/1 * * *', '2027-10-31', ['00:30', '01:30', '02:30']],
])('%s', (_what, text, day, times) => {
  const from = new Date(`${day}T00:00:00Z`);
  const until = new Date(`${day}T23:00:00Z`);
  const ticks = ticksOf(text, 'Europe/Berlin', { from, until });
  expect(ticks.map((tick) => tick.toISOString().slice(11, 16))).toEqual(times);
});

test.each([
  '',
  '* * * *',
  '* * * * * *',
  '60 * * * *',
  '* 24 * * *',
  '* * 0 * *',
  '5-1 * * * *',
  'a * * * *',
  '0 0 30 2 *',
  '@reboot',
  '@often',
  '2030-01-01T00:00:00',
])('"%s" is refused', (text) => {
  expect(() => readTicks(text, 'UTC')).toThrow();
});

describe('rowlock schedule ticks', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  /** All ticks in a span, as a process sees them that lives through it. */
  async function live(text: string, timezone: string, from: string, hours: number): Promise<Date[]> {
    jest.useFakeTimers({ now: new Date(from) });
    const found: Date[] = [];
    const stop = startTicking(text, timezone, () => found.push(new Date()));
    await jest.advanceTimersByTimeAsync(hours * 3_600_000);
    stop();
    return found.map((at) => new Date(Math.floor(at.getTime() / 1000) * 1000));
  }

  test.each([
    ['in autumn, also in the hour that comes twice', '2027-10-30T23:00:30Z'],
    ['in spring, past the hour that is skipped', '2027-03-27T23:30:30Z'],
  ])('each minute %s', async (_when, from) => {
    const until = new Date(new Date(from).getTime() + 4 * 3_600_000);
    const ticks = await live('* * * * *', 'Europe/Berlin', from, 4);
    expect(ticks.map(toText)).toEqual(
      ticksOf('* * * * *', 'Europe/Berlin', { from: new Date(from), until }).map(toText),
    );
    expect(ticks).toHaveLength(240);
  });

  test('each second, where the text has seconds', async () => {
    expect(await live('*/2 * * * * *', 'Europe/Berlin', '2027-10-30T23:59:31Z', 1 / 60)).toHaveLength(30);
  });

  test('on either of two days, as a crontab has it', async () => {
    // The 12th is a Thursday.
    const ticks = await live('0 12 12 * 5', 'UTC', '2027-08-11T00:00:30Z', 72);
    expect(ticks.map(toText)).toEqual([
      toText(new Date('2027-08-12T12:00:00Z')),
      toText(new Date('2027-08-13T12:00:00Z')),
    ]);
  });
});
