-- Purpose: the guard of a claim, last before its COMMIT: no claim commits for a closed run. Last, and not
-- first, so that the run's row is locked for the commit alone: the heartbeat never waits for a claim, and
-- a worker frozen inside its claim does not keep others from closing its run.
-- Guard: finished_at. 0 rows: the run is over, and the claim is undone.
UPDATE background_job_runs SET claimed = claimed + :count WHERE id = :runId AND finished_at IS NULL;
