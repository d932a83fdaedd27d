-- Purpose: running rows whose run is gone, or has been over or silent for so many seconds: no rescue has taken
-- them since. A run that is over has a moment for that, and the next run a minute.
-- Parameters: seconds, limit.
-- Index: claim_order (status), then the primary key of the runs. Locks nothing.
SELECT j.id
FROM background_jobs AS j FORCE INDEX (claim_order)
LEFT JOIN background_job_runs AS r ON r.id = j.run_id
WHERE j.status = 'running' AND j.run_id IS NOT NULL
  AND CASE WHEN r.id IS NULL THEN j.started_at IS NULL OR j.started_at < NOW(3) - INTERVAL :seconds SECOND
           WHEN r.finished_at IS NOT NULL THEN r.finished_at < NOW(3) - INTERVAL :seconds SECOND
           ELSE r.lease_expires_at < NOW(3) - INTERVAL :seconds SECOND END
ORDER BY j.id
LIMIT :limit;
