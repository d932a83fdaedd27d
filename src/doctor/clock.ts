import { select } from '../db/statements';
import { type Check, ok, warning } from './finding';

const FAR_MS = 5_000;

/** Runs use the server's clock alone; people, logs and cron use this host's. */
export const clock: Check = {
  name: 'clock',
  async run({ pool }) {
    const before = Date.now();
    const [row] = await select<{ now: Date }>(pool, 'read_utc_clock');
    const after = Date.now();
    const there = row?.now.getTime() ?? after;
    // It was read at some time between the two, so what lies between them is no difference.
    const ahead = there > after ? there - after : Math.min(0, there - before);
    if (Math.abs(ahead) < FAR_MS) return ok('as on this host');
    return warning(
      `the server's clock is ${(Math.abs(ahead) / 1000).toFixed(1)} s ${ahead > 0 ? 'ahead of' : 'behind'} this host's: times in logs and tables do not match`,
      'let NTP set both',
    );
  },
};
