-- Purpose: job types that no worker knows: their jobs were claimed and put back with no attempt charged, and
-- wait for a minute to an hour. Only those that are due within the hour can be such, and of these at most
-- 1,000 are looked at.
-- Parameters: queue, priority.
-- Index: claim_order, a range of one lane; then those rows.
SELECT job_type AS type, COUNT(*) AS jobs
FROM (SELECT job_type, attempts, crashes, started_at, run_at
      FROM background_jobs FORCE INDEX (claim_order)
      WHERE status = 'pending' AND queue = :queue AND priority = :priority
        AND run_at > NOW(3) AND run_at <= NOW(3) + INTERVAL 1 HOUR
      LIMIT 1000) AS waiting
WHERE attempts = 0 AND crashes = 0 AND started_at <= run_at - INTERVAL 30 SECOND
GROUP BY job_type
ORDER BY job_type;
