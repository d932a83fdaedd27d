-- Purpose: runs whose lease has passed. One that is locked is being renewed or closed, or its frozen
-- worker holds it until its session times out: the next rescue sees it again.
-- Index: live_runs (finished_at, lease_expires_at).
SELECT id FROM background_job_runs
WHERE finished_at IS NULL AND lease_expires_at < NOW(3)
LIMIT :limit
FOR UPDATE SKIP LOCKED;
