-- Purpose: how many jobs have waited for longer than a while; at most 1,000, so that it stays cheap.
-- Index: claim_order (status, queue).
SELECT COUNT(*) AS due FROM (
  SELECT id FROM background_jobs FORCE INDEX (claim_order)
  WHERE status = 'pending' AND run_at <= NOW(3) - INTERVAL :seconds SECOND
  LIMIT 1000
) AS waiting;
