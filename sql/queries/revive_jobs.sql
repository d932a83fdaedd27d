-- Purpose: back to pending, as if it had never been tried. last_error, the history and the checkpoint stay;
-- that it was cancelled is told no more.
-- Guard: the status; a running row only if no run holds it, which is an older script's.
-- Index: the primary key.
UPDATE background_jobs FORCE INDEX (PRIMARY)
SET status = 'pending', attempts = 0, crashes = 0, run_at = NOW(3),
    last_error = IF(cancelled_at IS NULL, last_error, NULL), processed_at = NULL, cancelled_at = NULL, result = NULL
WHERE id IN (:ids) AND (status = 'failed' OR (status = 'running' AND run_id IS NULL));
