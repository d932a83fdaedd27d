import type { Cron } from 'croner';

/** When a schedule ticks. */
export interface Ticks {
  /** The newest tick at or before this time; undefined: there was none yet. */
  newest(now: Date): Date | undefined;
  /** The first tick after this time; undefined: there is none any more. */
  next(after: Date): Date | undefined;
}

/** `@daily` and its kind, or five fields; croner alone would also take a date. */
const CRON_TEXT = /^(@[a-z]+|(\S+\s+){4}\S+)$/i;
const WITH_SECONDS = /^(\S+\s+){5}\S+$/;

/**
 * Reads a cron text of five fields, to the minute. It means what it means in a crontab:
 *
 * - With both days restricted, either is enough (`0 0 13 * 5`: each 13th, and each Friday); where one of
 *   the two begins with `*`, as in `*` and in the step `*` + `/2`, both must fit.
 * - Daylight saving. A text without a wildcard or step in its minute and hour names times of the day: one
 *   that the clock skips ticks when it has jumped, one that comes twice ticks the first time. All others
 *   name intervals, and go on through the hour that comes twice, and past the one that is skipped.
 *
 * @param timezone an IANA name; undefined: the zone of this machine
 * @param options.seconds a sixth field stands before the others. @default false
 * @throws if the text is none, or names no time that ever comes
 */
export function readTicks(text: string, timezone: string | undefined, { seconds = false } = {}): Ticks {
  const cron = parse(text.trim(), timezone, seconds);
  if (cron.nextRun() === null) throw new RangeError('it names no time that ever comes');
  return {
    newest: (now) => cron.previousRuns(1, new Date(now.getTime() + 1))[0],
    next: (after) => cron.nextRun(after) ?? undefined,
  };
}

function parse(text: string, timezone: string | undefined, seconds: boolean): Cron {
  if (!(seconds ? WITH_SECONDS : CRON_TEXT).test(text)) throw new RangeError('it has not five fields');
  if (/^@reboot$/i.test(text)) throw new RangeError('it names no time');
  // Loaded here, since most workers have no schedule and should not pay for it at each tick.
  const { Cron: Pattern } = require('croner') as typeof import('croner');
  const [, , day = '', , weekday = ''] = text.split(/\s+/).slice(seconds ? 1 : 0);
  return new Pattern(text, {
    ...(timezone !== undefined && { timezone }),
    mode: seconds ? '6-part' : '5-part',
    paused: true,
    domAndDow: day.startsWith('*') || weekday.startsWith('*'),
    // Lists and ranges of hours name times of the day too, as they do in a crontab.
    fixedTimeRule: 'no-wildcard',
  });
}

/** Whether this is the IANA name of a time zone, such as `Europe/Berlin`. */
export function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false; // a RangeError: that is how Intl says no
  }
}
