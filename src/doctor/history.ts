import { select } from '../db/statements';
import { type Check, ok, type Subject, unknown, warning } from './finding';

const LONG = 1_000_000;

/**
 * What the server still has to purge.
 *
 * @param long from here on it is too much
 */
export const history = (long = LONG): Check => ({
  name: 'history',
  whenDenied: unknown('this user may not see the length of the history list', 'GRANT PROCESS ON *.* to it, to know'),
  async run(subject) {
    const length = await readLength(subject);
    if (length === undefined) return unknown('the server does not tell the length of its history list');
    const words = `${length.toLocaleString('en-US')} transactions to purge`;
    if (length < long) return ok(words);
    return warning(
      `${words}: reads through indexes become slow, claims too`,
      'end old transactions (see open-transactions), and see whether the disk keeps up',
    );
  },
});

/** MariaDB tells it to anyone, MySQL as a metric to those who may see one. */
async function readLength({ pool, variables }: Subject): Promise<number | undefined> {
  const told = (await variables()).status('Innodb_history_list_length');
  if (told !== undefined) return told;
  const [metric] = await select<{ length: number | string }>(pool, 'read_history_length');
  return metric === undefined ? undefined : Number(metric.length);
}
