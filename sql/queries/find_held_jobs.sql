-- Purpose: the jobs that the database says this run holds.
-- Index: claim_order (status): as many entries as jobs run anywhere.
SELECT id, attempts, cancelled_at IS NOT NULL AS cancelled
FROM background_jobs FORCE INDEX (claim_order)
WHERE status = 'running' AND run_id = :runId;
