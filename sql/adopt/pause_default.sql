-- Purpose: no run takes a row of an adopted table before someone resumes its queue.
-- Guard: a pause that is there stays as it is.
INSERT INTO background_job_queues (queue, paused_at)
VALUES ('default', NOW(3))
ON DUPLICATE KEY UPDATE paused_at = COALESCE(paused_at, NOW(3));
