-- Purpose: how many runs were closed before the cutoff.
-- Parameters: cutoff.
-- Index: live_runs (finished_at), and nothing but the index. Locks nothing.
SELECT COUNT(*) AS runs FROM background_job_runs FORCE INDEX (live_runs) WHERE finished_at < :cutoff;
