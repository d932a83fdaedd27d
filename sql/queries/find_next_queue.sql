-- Purpose: the next queue that holds a job in this status, by one index seek, however many jobs there are.
-- Parameters: status; queue: behind this one; NULL: the first of all.
-- Index: claim_order. Locks nothing.
SELECT queue
FROM background_jobs FORCE INDEX (claim_order)
WHERE status = :status AND (:queue IS NULL OR queue > :queue)
ORDER BY queue, priority
LIMIT 1;
