-- Purpose: how many jobs earlier runs of this host and selection still hold, having given up their slot.
-- They are taken off the concurrency of the run that asks. The jobs are looked at only if there is such a run.
-- Index: live_runs (finished_at), then claim_order (status).
SELECT COUNT(*) AS held
FROM background_job_runs AS r
STRAIGHT_JOIN background_jobs AS j FORCE INDEX (claim_order) ON j.status = 'running' AND j.run_id = r.id
WHERE r.host = :host AND r.selection = :selection AND r.slot IS NULL AND r.finished_at IS NULL AND r.id <> :runId;
