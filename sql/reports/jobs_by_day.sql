-- Purpose: what was enqueued each day, by job type, and what became of it.
-- Parameters: since: the first day, such as 2026-11-01 (UTC).
-- Index: none on created_at: this reads the whole table, without locks.
SELECT DATE(created_at) AS day,
       job_type,
       COUNT(*) AS enqueued,
       SUM(status = 'completed') AS completed,
       SUM(status = 'failed') AS failed,
       SUM(status IN ('pending', 'running')) AS unfinished,
       SUM(attempts) AS attempts,
       ROUND(AVG(TIMESTAMPDIFF(MICROSECOND, started_at, processed_at)) / 1000000, 3) AS mean_seconds
FROM background_jobs
WHERE created_at >= :since
GROUP BY DATE(created_at), job_type
ORDER BY day, job_type;
