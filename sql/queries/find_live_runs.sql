-- Purpose: the runs that nobody has closed. alive: its lease holds; otherwise the next run closes it.
-- Index: live_runs (finished_at).
SELECT id, host, pid, slot, selection, started_at AS startedAt, lease_expires_at AS leaseExpiresAt,
       lease_expires_at > NOW(3) AS alive, claimed, completed, retried, failed, released
FROM background_job_runs
WHERE finished_at IS NULL
ORDER BY started_at;
