import { UsageError } from '../errors';

const ISO = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(\.\d{1,9})?)?)?(?: ?(Z|[+-]\d{2}:?\d{2}))?$/i;

/**
 * An ISO 8601 time, such as `2027-01-31T06:00:00+01:00`. Without a zone it is UTC, as the database's own
 * times are: the zone of whichever machine types the command must not matter.
 */
export function parseRunAt(words: string): Date {
  const parts = ISO.exec(words.trim());
  if (parts !== null) {
    const [, date, time = '00:00', seconds = '00', fraction = '', zone = 'Z'] = parts;
    const local = `${date}T${time}:${seconds}${fraction.slice(0, 4)}`;
    const found = new Date(local + toColonZone(zone));
    // The 30th of February would become the 2nd of March.
    if (!Number.isNaN(found.getTime()) && isSameDay(local)) return found;
  }
  throw new UsageError(
    `--run-at "${words.slice(0, 60)}" is no time such as 2027-01-31T06:00:00Z (without a zone it is UTC)`,
  );
}

const toColonZone = (zone: string): string => (/^z$/i.test(zone) ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(-2)}`);

const isSameDay = (local: string): boolean => {
  const asUtc = new Date(`${local}Z`);
  return !Number.isNaN(asUtc.getTime()) && asUtc.toISOString().slice(0, 10) === local.slice(0, 10);
};
