/**
 * How a row has ended: none of it changes any more.
 * @typedef {object} Ended
 * @property {'pending' | 'running' | 'completed' | 'failed'} status
 * @property {number} attempts
 * @property {number | null} runId
 * @property {string | null} endedAt its processed_at, in seconds and as the server says it: to be compared
 */

/**
 * A row of background_jobs, times in milliseconds of the server's clock.
 * @typedef {object} JobRow
 * @property {number} id
 * @property {string} type
 * @property {number | null} token that of its payload; null: none of the harness
 * @property {'pending' | 'running' | 'completed' | 'failed'} status
 * @property {number} attempts
 * @property {number} crashes
 * @property {number | null} runId
 * @property {number | null} processedAt when it ended
 * @property {string | null} endedAt the same, see {@link Ended}
 * @property {number | null} cancelledAt
 * @property {number} runAt not before this time
 * @property {string | null} lastError
 * @property {boolean} hasResult
 * @property {number | null} resultToken the token in its result
 */

/**
 * A row of background_job_runs.
 * @typedef {object} RunRow
 * @property {number} id
 * @property {number} pid
 * @property {number} startedAt
 * @property {number | null} finishedAt
 * @property {'finished' | 'stopped' | 'skipped' | 'lost' | 'error' | null} outcome
 * @property {number} claimed
 * @property {number} completed
 * @property {number} retried
 * @property {number} failed
 * @property {number} released
 */

/**
 * A row of background_job_errors.
 * @typedef {{ id: number, job: number, attempt: number, runId: number | null, at: number, error: string }} ErrorRow
 */

/** @typedef {{ job: number, step: string, attempt: number, process: number }} EffectRow */

/**
 * An execution, and the run that it was one of; undefined: its process has named none.
 * @typedef {import('../stage/journal.mjs').Execution & { runId: number | undefined }} ExecutionReading
 */

/**
 * What a run has said of an attempt that it held.
 * @typedef {object} JobEvent
 * @property {'job.released' | 'job.taken_away' | 'job.result_dropped'} event
 * @property {number} job
 * @property {number} attempt
 * @property {number} process
 */

/**
 * A process of the fleet.
 * @typedef {object} ProcessReading
 * @property {number} number
 * @property {number} pid
 * @property {number | undefined} runId undefined: it ended before it had one; of `rowlock schedule`: that of its first run
 * @property {number} startedAt all times on the clock of the server
 * @property {number | undefined} endedAt
 * @property {number | null | undefined} code
 * @property {NodeJS.Signals | null | undefined} signal what ended it
 * @property {ReadonlySet<NodeJS.Signals>} sent signals that the scene has sent to it, or the end of its fleet
 * @property {boolean} hung SIGTERM did not end it
 * @property {string} log the name of the print that is its own
 */

/**
 * What a scene's runs may do that others do not.
 * @typedef {object} OddEnds
 * @property {Set<number>} codes exit codes that may come of what it does to them
 * @property {Set<NodeJS.Signals>} signals that its job functions raise
 * @property {boolean} stacks what they print may have one
 * @property {number} longestMs from their start to their end
 */

/**
 * What scenes do on purpose, and what their rows are to become.
 * @typedef {object} Expectations
 * @property {Record<string, import('../kinds.mjs').Kind>} kinds by type
 * @property {Set<number>} touchedTokens of rows that the scene itself has changed, revived or cancelled: their history is
 *   not that of Rowlock alone
 * @property {OddEnds} ends how its runs may end besides
 * @property {Set<string>} late types whose rows may be put off for longer than a moment
 * @property {{ token: number, runId: number }[]} taken rows that the scene changed or deleted while they ran, and from which run:
 *   its account lacks them
 * @property {Set<number>} touched the ids of these rows, which the stage finds out when all is over
 * @property {Set<number>} [accused] ids of rows whose crashes the scene has set to 1
 * @property {boolean} [isServerClockSet] leases end, or last for hours, without their runs knowing of it
 */

/**
 * All that the checks look at.
 * @typedef {object} Readings
 * @property {JobRow[]} jobs
 * @property {RunRow[]} runs
 * @property {ErrorRow[]} errors
 * @property {EffectRow[]} effects
 * @property {Map<number, import('../stage/ledger.mjs').LedgerEntry>} ledger by token
 * @property {ExecutionReading[]} executions by their beginning; times on the clock of the server
 * @property {ExecutionReading[]} former executions of rows that are gone, and whose ids others have by now: TRUNCATE gives them anew
 * @property {ProcessReading[]} processes
 * @property {JobEvent[]} events
 * @property {readonly (Ended & { id: number, token: number | null })[]} seenEnded rows as they were first seen to have ended, while the
 *   scene was played
 * @property {{ name: string, text: string }[]} prints what was printed and logged, and last_error and the history
 * @property {string[]} secrets what must not be in any print
 * @property {Expectations} expect
 */

/**
 * What becomes of the jobs of a type; undefined: nobody has said so. For the server trailing spaces do not count.
 *
 * @param {Expectations} expect
 * @param {string} type
 */
export function kindOf({ kinds }, type) {
  const name = [type, type.replace(/ +$/, '')].find((one) => Object.hasOwn(kinds, one));
  return name === undefined ? undefined : kinds[name];
}

/**
 * @template T
 * @template K
 * @param {readonly T[]} list
 * @param {(one: T) => K} keyOf
 * @returns {Map<K, T[]>}
 */
export function groupBy(list, keyOf) {
  /** @type {Map<K, T[]>} */
  const groups = new Map();
  for (const one of list) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}

/** The history has a row of this form where a suspect has ended its own process. */
const CRASH = /^crash (\d+) of \d+: /;

/**
 * The number of the crash that a row of the history tells of; undefined: it tells of an attempt that counts.
 *
 * @param {string} error
 */
export const crashOf = (error) => {
  const [, number] = CRASH.exec(error) ?? [];
  return number === undefined ? undefined : Number(number);
};
