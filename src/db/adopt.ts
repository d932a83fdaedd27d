import { ConfigError, UnreachableError } from '../errors';
import type { AdoptionPlan } from './adopt-plan';
import { adoptText, ask } from './adopt-statements';
import { explain, isConnectionLost, isLockWaitTimeout } from './faults';
import type { Queryable } from './pool';

/** Pauses the queue that the rows of another app's table will be in. */
export async function pauseDefault(on: Queryable): Promise<void> {
  await ask(on, 'pause_default');
}

/**
 * Makes another app's background_jobs Rowlock's own, by one ALTER, which happens whole or not at all.
 * Every queue that its rows name is then paused.
 */
export async function alterJobs(on: Queryable, plan: AdoptionPlan): Promise<void> {
  if (plan.clauses.length > 0) {
    await on.query(adoptText('set_session'));
    try {
      await on.query(`${adoptText('alter_jobs')}\n${plan.clauses.join(',\n')}`);
    } catch (error) {
      throw sayRefused(error);
    }
    await on.query(adoptText('restore_session'));
  }
  await ask(on, 'pause_found_queues');
}

function sayRefused(error: unknown): unknown {
  if (isLockWaitTimeout(error)) {
    return new UnreachableError(
      'background_jobs waited 10 s for an open transaction and was not altered; run rowlock migrate --adopt again',
      { cause: error },
    );
  }
  const said = (error as { sqlMessage?: unknown }).sqlMessage;
  if (isConnectionLost(error) || explain(error, '') !== error || typeof said !== 'string') return error;
  return new ConfigError(
    `the server refused to alter background_jobs, and nothing of it was changed: ${said}; mend that, then run rowlock migrate --adopt`,
    {
      cause: error,
    },
  );
}
