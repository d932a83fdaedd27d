-- Purpose: how long ago the newest run began. A run that was skipped counts: it shows that cron fires.
-- Index: runs_by_start, its last entry.
SELECT id, started_at AS startedAt, TIMESTAMPDIFF(MICROSECOND, started_at, NOW(3)) DIV 1000 AS agoMs
FROM background_job_runs
ORDER BY started_at DESC
LIMIT 1;
