-- Purpose: last before the COMMIT of a save: nothing is stored for a closed run. Shared and brief.
-- Guard: finished_at. 0 rows: the run is over, and the save is undone.
SELECT id FROM background_job_runs WHERE id = :runId AND finished_at IS NULL LOCK IN SHARE MODE;
