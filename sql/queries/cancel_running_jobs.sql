-- Purpose: tell the runs that hold these jobs to abort them; each looks at every heartbeat.
-- Guard: the status, and that a run holds it. The first cancellation's time stands.
-- Index: the primary key.
UPDATE background_jobs FORCE INDEX (PRIMARY)
SET cancelled_at = COALESCE(cancelled_at, NOW(3))
WHERE id IN (:ids) AND status = 'running' AND run_id IS NOT NULL;
