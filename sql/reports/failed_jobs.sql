-- Purpose: the dead letters since a time, oldest first, without the cancelled ones and without their payload.
-- Parameters: since: such as 2026-11-01, or 2026-11-01 06:00 (UTC).
-- Index: claim_order, by its first column.
SELECT id, job_type, queue, attempts, crashes, created_at, processed_at, last_error
FROM background_jobs
WHERE status = 'failed'
  AND cancelled_at IS NULL
  AND processed_at >= :since
ORDER BY processed_at, id;
