-- Purpose: lock what find_orphaned_jobs has named and look again. A row locked by somebody else (a frozen
-- worker's open transaction, another rescuer) is skipped and found by the next rescue.
SELECT id, run_id AS runId, job_type AS type FROM background_jobs FORCE INDEX (PRIMARY)
WHERE id IN (:ids) AND status = 'running'
FOR UPDATE SKIP LOCKED;
