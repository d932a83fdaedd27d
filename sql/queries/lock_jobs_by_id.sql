-- Purpose: hold jobs still while somebody decides over them. A claim skips them meanwhile.
-- Index: the primary key, in its order, so that two commands cannot deadlock.
SELECT id, job_type AS type, status, run_id AS runId, unique_key AS uniqueKey, cancelled_at AS cancelledAt, run_at AS runAt
FROM background_jobs
WHERE id IN (:ids)
ORDER BY id
FOR UPDATE;
