import { harmless, withEscapes } from './harmless';
import { COUNTED_AT_MOST } from './queue/health';

/** A length of time in its largest fitting unit: `12 s`, `3 min`, `5 h`, `14 d`. */
export function sayDuration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  const minutes = Math.round(seconds / 60);
  const hours = Math.round(minutes / 60);
  if (seconds < 120) return `${seconds} s`;
  if (minutes < 120) return `${minutes} min`;
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}

/** A time as a person asks for it and as a log has it: `5 min ago (2026-11-23 22:01:07Z)`. */
export function sayTime(time: Date | null, now: Date): string {
  if (time === null) return '';
  const ms = now.getTime() - time.getTime();
  // A zero date, which an app without strict mode has written.
  if (Number.isNaN(ms)) return 'no time (0000-00-00)';
  const relative = ms >= 0 ? `${sayDuration(ms)} ago` : `in ${sayDuration(-ms)}`;
  return `${relative} (${time.toISOString().slice(0, 19).replace('T', ' ')}Z)`;
}

/** A number of jobs; where counting ended it is `100,000+`. */
export const sayCount = (jobs: number): string =>
  `${jobs.toLocaleString('en-US')}${jobs >= COUNTED_AT_MOST && jobs % COUNTED_AT_MOST === 0 ? '+' : ''}`;

/** The beginning of a text, on one line. */
export function sayBriefly(text: string | null, longest: number): string {
  const line =
    harmless(text ?? '')
      .split('\n', 1)[0]
      ?.trim() ?? '';
  const letters = [...line];
  return letters.length <= longest ? line : `${letters.slice(0, longest - 1).join('')}…`;
}

const LONGEST_NAME = 40;

/** A queue, a type or a host: two of them never look the same for a line break, and none commands a terminal. */
export function sayName(name: string): string {
  const letters = [...withEscapes(name)];
  return letters.length <= LONGEST_NAME ? letters.join('') : `${letters.slice(0, LONGEST_NAME - 1).join('')}…`;
}
