-- Purpose: how many jobs that this run may take have waited for longer than a while; at most 1,000, so that
-- it stays cheap.
-- Parameters: seconds; queues and types, with anyQueue and anyType for all of them.
-- Index: claim_order (status, queue).
SELECT COUNT(*) AS due FROM (
  SELECT id FROM background_jobs FORCE INDEX (claim_order)
  WHERE status = 'pending' AND run_at <= NOW(3) - INTERVAL :seconds SECOND
    AND queue NOT IN (SELECT queue FROM background_job_queues WHERE paused_at IS NOT NULL)
    AND (:anyQueue OR queue IN (:queues)) AND (:anyType OR job_type IN (:types))
  LIMIT 1000
) AS waiting;
