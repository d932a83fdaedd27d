import type { Pool } from '../../src/db/pool';
import type { ClaimedJob } from '../../src/queue/job';
import { type Catch, Claimer, type Selection } from '../../src/worker/claimer';

/** A claimer whose every claim is waited for. */
export interface WholeClaims {
  claim(limit: number): Promise<Omit<Catch, 'locked'> & { jobs: ClaimedJob[] }>;
}

export function openClaims(pool: Pool, runId: number, selection: Partial<Selection> = {}): WholeClaims {
  const delivered: ClaimedJob[] = [];
  const claimer = new Claimer(
    pool,
    { queues: [], types: [], ...selection },
    runId,
    () => false,
    (jobs) => delivered.push(...jobs),
  );
  return {
    async claim(limit) {
      const { locked, ...others } = await claimer.claim(limit);
      await claimer.settled();
      const jobs = delivered.splice(0);
      expect(jobs).toHaveLength(locked);
      return { ...others, jobs };
    },
  };
}
