-- Purpose: the next runs that were closed before the cutoff, in the order of their end. Going on from where
-- the last ones were, it does not walk over what they have left in the index.
-- Parameters: cutoff, after; limit.
-- Index: live_runs (finished_at). Locks nothing: a closed run is never opened again.
SELECT id, finished_at AS finishedAt FROM background_job_runs FORCE INDEX (live_runs)
WHERE finished_at >= :after AND finished_at < :cutoff
ORDER BY finished_at
LIMIT :limit;
