-- Purpose: the same for every queue that a row of the altered table is in.
-- Index: claim_order, read whole.
INSERT INTO background_job_queues (queue, paused_at)
SELECT found.queue, NOW(3) FROM (SELECT DISTINCT queue FROM background_jobs) AS found
ON DUPLICATE KEY UPDATE paused_at = COALESCE(paused_at, NOW(3));
