-- Purpose: end a run, once. Its slot is free for the next.
-- Guard: finished_at, a compare-and-set. 0 rows: another run has closed it.
UPDATE background_job_runs
SET finished_at = NOW(3), outcome = :outcome, slot = NULL
WHERE id = :runId AND finished_at IS NULL;
