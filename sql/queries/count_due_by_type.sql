-- Purpose: what a run would claim now, by queue and type; 10,000 jobs are looked at.
-- Parameters: queues and types, with anyQueue and anyType for all of them.
-- Index: claim_order (status). Locks nothing, changes nothing.
SELECT queue, priority, job_type AS type, COUNT(*) AS due FROM (
  SELECT queue, priority, job_type FROM background_jobs FORCE INDEX (claim_order)
  WHERE status = 'pending' AND run_at <= NOW(3)
    AND queue NOT IN (SELECT queue FROM background_job_queues WHERE paused_at IS NOT NULL)
    AND (:anyQueue OR queue IN (:queues)) AND (:anyType OR job_type IN (:types))
  LIMIT 10000
) AS waiting
GROUP BY queue, priority, job_type
ORDER BY queue, priority, job_type;
