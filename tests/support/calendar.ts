/** What a cron text is expected to mean, told by looking at every minute of a span: slow, and with no library. */
export interface Expected {
  /** Minutes of the local day, and days, on which it ticks. */
  matches(local: LocalTime): boolean;
  /** It names times of the day, and not intervals. */
  isFixed: boolean;
}

export interface LocalTime {
  minute: number;
  hour: number;
  day: number;
  month: number;
  weekday: number;
}

const MINUTE_MS = 60_000;

/** Every tick in a span, oldest first. */
export function listTicks(expected: Expected, timezone: string, from: Date, until: Date): Date[] {
  const clock = createLocalClock(timezone);
  const ticks: Date[] = [];
  for (let at = from.getTime(); at < until.getTime(); at += MINUTE_MS) {
    if (ticksAt(expected, clock, at)) ticks.push(new Date(at));
  }
  return ticks;
}

type LocalClock = (at: number) => number;

function ticksAt({ matches, isFixed }: Expected, clock: LocalClock, at: number): boolean {
  const local = clock(at);
  const before = clock(at - MINUTE_MS);
  const isMatch = matches(fieldsOf(local));
  if (!isFixed) return isMatch;
  const jumped = local - before - MINUTE_MS;
  // The clock has just skipped times: what they named ticks now.
  for (let skipped = before + MINUTE_MS; jumped > 0 && skipped < local; skipped += MINUTE_MS) {
    if (matches(fieldsOf(skipped))) return true;
  }
  return isMatch && ![30, 60].some((shift) => clock(at - shift * MINUTE_MS) === local);
}

/** The local time as if it were UTC, in milliseconds. Zones change at half hours of UTC at the oddest, by one or by a half. */
function createLocalClock(timezone: string): LocalClock {
  const format = new Intl.DateTimeFormat('en', { timeZone: timezone, timeZoneName: 'longOffset' });
  const offsets = new Map<number, number>();
  return (at) => {
    const start = at - (at % (30 * MINUTE_MS));
    let offset = offsets.get(start);
    if (offset === undefined) {
      offset = readOffset(format, start);
      offsets.set(start, offset);
    }
    return at + offset;
  };
}

function readOffset(format: Intl.DateTimeFormat, at: number): number {
  const name = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign = '+', hours = '0', minutes = '0'] = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(name) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
}

function fieldsOf(local: number): LocalTime {
  const date = new Date(local);
  return {
    minute: date.getUTCMinutes(),
    hour: date.getUTCHours(),
    day: date.getUTCDate(),
    month: date.getUTCMonth() + 1,
    weekday: date.getUTCDay(),
  };
}

/** The last of these at or before a time; they are in order, and half a million. */
export function newestOf(ticks: readonly Date[], at: Date): Date | undefined {
  let [from, until] = [0, ticks.length];
  while (from < until) {
    const middle = (from + until) >> 1;
    if ((ticks[middle] ?? at) <= at) from = middle + 1;
    else until = middle;
  }
  return ticks[from - 1];
}
