-- Purpose: no run claims from this queue any more. The first pause's time stands.
-- Index: the primary key.
INSERT INTO background_job_queues (queue, paused_at) VALUES (:queue, NOW(3))
ON DUPLICATE KEY UPDATE paused_at = COALESCE(paused_at, NOW(3));
