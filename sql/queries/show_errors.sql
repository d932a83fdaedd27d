-- Purpose: the newest failures of one job, the newest first; at most 100.
-- Index: errors_of_job.
SELECT attempt, run_id AS runId, occurred_at AS occurredAt, error
FROM background_job_errors
WHERE job_id = :id
ORDER BY id DESC
LIMIT 100;
