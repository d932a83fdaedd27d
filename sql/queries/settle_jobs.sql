-- Purpose: write how a batch of attempts ended, in one statement.
-- Parameters: runId; outcomes: JSON, one object for each job: id, attempts, status, uncharged (1: the attempt
-- does not count), crashes (to add), delayMs (0: keeps its place in the line), result, error, freeKey.
-- Guard: the fence (run_id, attempts, running), and no job that was cancelled goes back to pending.
-- Fewer rows than outcomes: the caller undoes the transaction and looks at each row.
-- Index: the primary key, for each outcome.
-- Why run_at = 0: a zero date, which an app without strict mode has written, is refused by MySQL when it is written anew; the
-- claim was the first to find it due.
-- Why GREATEST: a row whose attempts somebody has set to 0 while it ran, and that goes back, has none to give back.
UPDATE JSON_TABLE(:outcomes, '$[*]' COLUMNS (
         id BIGINT UNSIGNED PATH '$.id',
         attempts INT UNSIGNED PATH '$.attempts',
         status VARCHAR(9) PATH '$.status',
         uncharged INT PATH '$.uncharged',
         crashes INT PATH '$.crashes',
         delay_ms BIGINT PATH '$.delayMs',
         result LONGTEXT PATH '$.result',
         error TEXT PATH '$.error',
         free_key INT PATH '$.freeKey'
       )) AS o
STRAIGHT_JOIN background_jobs AS j ON j.id = o.id
SET j.status = o.status,
    j.processed_at = IF(o.status = 'pending', NULL, NOW(3)),
    j.run_at = CASE WHEN o.delay_ms > 0 THEN NOW(3) + INTERVAL o.delay_ms * 1000 MICROSECOND
                    WHEN j.run_at = 0 THEN j.started_at
                    ELSE j.run_at END,
    j.attempts = GREATEST(o.attempts, o.uncharged) - o.uncharged,
    j.crashes = j.crashes + o.crashes,
    j.result = IF(o.status = 'completed', o.result, j.result),
    j.last_error = COALESCE(o.error, j.last_error),
    j.unique_key = IF(o.free_key = 1 AND o.status <> 'pending', NULL, j.unique_key)
WHERE j.run_id = :runId AND j.attempts = o.attempts AND j.status = 'running'
  AND (o.status <> 'pending' OR j.cancelled_at IS NULL);
