-- Purpose: on which hosts runs began within the last hour, and how many; those that ran last come first.
-- Parameters: limit.
-- Index: runs_by_start, a range: sixty rows a host.
SELECT host, COUNT(*) AS runs
FROM background_job_runs
WHERE started_at > NOW(3) - INTERVAL 1 HOUR
GROUP BY host
ORDER BY MAX(started_at) DESC
LIMIT :limit;
