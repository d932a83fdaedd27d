-- Purpose: the jobs that are being run, queue by queue: how many, how long ago the newest was started, and
-- how many are held by no run, which are an older script's.
-- Index: claim_order (status, queue), in its order; then the rows, of which runs hold few.
SELECT queue,
       COUNT(*) AS running,
       TIMESTAMPDIFF(MICROSECOND, MAX(started_at), NOW(3)) DIV 1000 AS newestStartMs,
       COUNT(*) - COUNT(run_id) AS heldByNoRun
FROM background_jobs FORCE INDEX (claim_order)
WHERE status = 'running'
GROUP BY queue;
