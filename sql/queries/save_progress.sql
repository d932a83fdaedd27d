-- Purpose: how far a job is, 0 to 1.
-- Guard: the fence, and that the run is open.
UPDATE background_jobs AS j
JOIN background_job_runs AS r ON r.id = j.run_id AND r.finished_at IS NULL
SET j.progress = :fraction
WHERE j.id = :id AND j.run_id = :runId AND j.attempts = :attempts AND j.status = 'running';
