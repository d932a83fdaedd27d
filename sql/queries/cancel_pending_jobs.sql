-- Purpose: end jobs that have not started.
-- Parameters: ids; freeKey: true if a unique_key of this type holds only while the job is active.
-- Guard: the status.
-- Index: the primary key.
UPDATE background_jobs FORCE INDEX (PRIMARY)
SET status = 'failed', cancelled_at = NOW(3), processed_at = NOW(3), last_error = 'cancelled',
    unique_key = IF(:freeKey, NULL, unique_key)
WHERE id IN (:ids) AND status = 'pending';
