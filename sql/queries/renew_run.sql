-- Purpose: the heartbeat. One row keeps any number of jobs.
-- Guard: finished_at. An expired lease that nobody has closed is renewed; 0 rows: the run was closed.
UPDATE background_job_runs
SET lease_expires_at = NOW(3) + INTERVAL :leaseMs * 1000 MICROSECOND
WHERE id = :runId AND finished_at IS NULL;
