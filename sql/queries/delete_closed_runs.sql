-- Purpose: delete runs that ended long ago. A job of theirs that nobody has rescued yet loses nothing: rescue
-- takes back the jobs of runs that are closed, or gone.
-- Parameters: ids; cutoff.
-- Guard: finished_at. A run that is open stays, whatever its lease.
-- Index: the primary key.
DELETE r FROM background_job_runs AS r FORCE INDEX (PRIMARY)
WHERE r.id IN (:ids) AND r.finished_at < :cutoff;
