import type { Queryable } from '../db/pool';
import { select } from '../db/statements';
import type { Health } from '../queue/health';
import { isSilent, NO_RUN_MS } from '../verdict';
import { sayDuration, sayName } from '../words';
import { type Check, type Finding, fault, ok, warning } from './finding';

interface Host {
  host: string;
  runs: number;
}

interface Gap {
  from: Date;
  until: Date;
  seconds: number;
}

const HOSTS_AT_MOST = 5;

/** Cron starts a run each minute, and each leaves a row. */
export const runs: Check = {
  name: 'runs',
  async run({ pool, health }) {
    return findSilence(await health()) ?? (await findGap(pool)) ?? ok(await describe(pool, await health()));
  },
};

function findSilence(health: Health): Finding | undefined {
  if (health.lastRun === undefined)
    return fault('there was no run yet', 'add the line that rowlock crontab prints to the crontab');
  if (!isSilent(health)) return undefined;
  return fault(
    `no run for ${sayDuration(health.lastRun.agoMs)}`,
    'see whether cron runs, and has the line: crontab -l',
  );
}

async function findGap(on: Queryable): Promise<Finding | undefined> {
  const [gap] = await select<Gap>(on, 'find_run_gap', { seconds: NO_RUN_MS / 1000 });
  if (gap === undefined) return undefined;
  return warning(
    `no run began for ${sayDuration(gap.seconds * 1000)}, from ${sayClock(gap.from)} to ${sayClock(gap.until)}`,
    'see what cron and the host did then; rowlock run belongs into each minute',
  );
}

async function describe(on: Queryable, { lastRun }: Health): Promise<string> {
  const hosts = await select<Host>(on, 'count_runs_by_host', { limit: HOSTS_AT_MOST + 1 });
  const named = hosts.slice(0, HOSTS_AT_MOST).map(({ host, runs: count }) => `${count} on ${sayName(host)}`);
  const more = hosts.length > HOSTS_AT_MOST ? ', and others' : '';
  const last = `the last ${sayDuration(lastRun?.agoMs ?? 0)} ago`;
  return named.length === 0 ? last : `${last}; in an hour ${named.join(', ')}${more}`;
}

const sayClock = (time: Date): string => `${time.toISOString().slice(0, 16).replace('T', ' ')}Z`;
