import type { Alteration, Change } from './adopt-alteration';
import { sayIds } from './adopt-blockers-data';
import { isConvertible, listWantedColumns } from './adopt-columns';
import type { Shape } from './adopt-shape';
import { ask } from './adopt-statements';
import type { Queryable } from './pool';

/** Columns that another design may well have, and mean something else by. */
const MEANINGS: Record<string, string> = {
  priority: 'the lower number runs sooner',
  max_attempts: 'the attempts after which a failure is final; NULL leaves it to the job type',
  attempts: 'the attempts started so far; they count against the limit',
  run_at: 'a job does not run before it',
  queue: 'each queue that is found starts paused',
};

/** What a user should know before altering the table, though nothing of it stands in the way. */
export async function findNotices(on: Queryable, alteration: Alteration): Promise<string[]> {
  const { shape, changes, adds } = alteration;
  return [
    ...shape.triggers.map((name) => `the trigger ${name} will fire for Rowlock's writes too`),
    ...findUnfilledColumns(shape),
    ...changes.flatMap(({ wanted: { name } }) =>
      MEANINGS[name] === undefined ? [] : [`Rowlock takes the column ${name} for its own: ${MEANINGS[name]}`],
    ),
    ...changes.flatMap(findDroppedWords),
    ...adds
      .filter(({ name }) => name === 'created_at')
      .map(() => 'rows that are there get the time of the change as their created_at'),
    ...(shape.family === 'MySQL' ? await findRoundedNumbers(on, changes) : []),
  ];
}

function findUnfilledColumns({ columns }: Shape): string[] {
  const ours = new Set(['id', ...listWantedColumns().map(({ name }) => name)]);
  return columns
    .filter(
      ({ name, nullable, initial, extra, computed }) =>
        !ours.has(name.toLowerCase()) &&
        nullable === 0 &&
        initial === null &&
        computed === 0 &&
        !/auto_increment/i.test(extra),
    )
    .map(
      ({ name }) =>
        `the column ${name} has no default: an INSERT of (job_type, payload) alone, and rowlock enqueue, are refused until it has one`,
    );
}

function findDroppedWords({ wanted, found }: Change): string[] {
  if (wanted.kind !== 'enum' || found.base !== 'enum') return [];
  const words = [...found.type.matchAll(/'((?:[^']|'')*)'/g)].map(([, word]) => word ?? '');
  const dropped = words.filter((word) => !wanted.type.includes(`'${word}'`));
  return dropped.length === 0 ? [] : [`status will refuse the words ${dropped.join(', ')}`];
}

async function findRoundedNumbers(on: Queryable, changes: Change[]): Promise<string[]> {
  const notices: string[] = [];
  for (const { wanted, found } of changes) {
    if (wanted.kind !== 'json' || found.base === 'json' || !isConvertible(found, wanted)) continue;
    const ids = sayIds(await ask(on, 'find_long_numbers', {}, found.name));
    if (ids !== undefined)
      notices.push(
        `${wanted.name} seems to hold numbers of more digits than MySQL's JSON keeps, and they would be rounded; keep them as strings (${ids})`,
      );
  }
  return notices;
}
