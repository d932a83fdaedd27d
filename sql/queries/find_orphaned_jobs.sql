-- Purpose: jobs whose run is closed or gone, whatever it died of. A row with no run_id belongs to an
-- older script and is left alone. Reads without locks: a closed run is never opened again.
-- Index: claim_order (status), then the primary key of the runs.
SELECT j.id, j.run_id AS runId
FROM background_jobs AS j FORCE INDEX (claim_order)
LEFT JOIN background_job_runs AS r ON r.id = j.run_id
WHERE j.status = 'running' AND j.run_id IS NOT NULL AND (r.id IS NULL OR r.finished_at IS NOT NULL)
LIMIT :limit;
