-- Purpose: what a run would claim now, by queue and type, among the first 10,000 due jobs of each lane order.
-- Index: claim_order (status). Locks nothing, changes nothing.
SELECT queue, priority, job_type AS type, COUNT(*) AS due FROM (
  SELECT queue, priority, job_type FROM background_jobs FORCE INDEX (claim_order)
  WHERE status = 'pending' AND run_at <= NOW(3)
    AND queue NOT IN (SELECT queue FROM background_job_queues WHERE paused_at IS NOT NULL)
  LIMIT 10000
) AS waiting
GROUP BY queue, priority, job_type
ORDER BY queue, priority, job_type;
