-- Purpose: the next queue, or lane, that holds a job in this status, by one index seek, however many jobs there are.
-- Parameters: status; queue and priority: behind these; queue NULL: the first of all. Of a queue the highest priority
-- goes on to the next one, the one just found to its next lane.
-- Index: claim_order. Locks nothing.
SELECT queue, priority
FROM background_jobs FORCE INDEX (claim_order)
WHERE status = :status AND (:queue IS NULL OR queue > :queue OR (queue = :queue AND priority > :priority))
ORDER BY queue, priority
LIMIT 1;
