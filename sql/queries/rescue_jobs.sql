-- Purpose: put back the jobs of dead runs. No attempt is charged, as nobody knows which of them ended the
-- worker, or which had started; all are suspects now. One that was cancelled is failed.
-- Parameters: ids; freeKey: true if a unique_key of these jobs' type holds only while the job is active.
-- Guard: the rows are locked and checked by lock_running_jobs in this transaction.
UPDATE background_jobs FORCE INDEX (PRIMARY)
SET status = IF(cancelled_at IS NULL, 'pending', 'failed'),
    processed_at = IF(cancelled_at IS NULL, NULL, NOW(3)),
    last_error = IF(cancelled_at IS NULL, last_error, 'cancelled'),
    unique_key = IF(:freeKey AND cancelled_at IS NOT NULL, NULL, unique_key),
    attempts = GREATEST(attempts, 1) - 1,
    crashes = GREATEST(crashes, 1)
WHERE id IN (:ids) AND status = 'running';
