-- Purpose: the lane, one (queue, priority), after the given one, and whether its earliest job is due.
-- The OR form reads one entry on both families; (queue, priority) > (?, ?) read 203,000, and neither
-- chooses a loose scan for GROUP BY. The order is the index's own, so the first entry is the earliest.
-- Parameters: queue, priority: behind these; queue NULL: the first of all. Not '', as names that begin with a
-- tab or a newline sort before it: trailing spaces do not count, so '' is a space.
-- Index: claim_order. Locks nothing.
SELECT queue, priority, run_at <= NOW(3) AS due
FROM background_jobs FORCE INDEX (claim_order)
WHERE status = 'pending' AND (:queue IS NULL OR queue > :queue OR (queue = :queue AND priority > :priority))
ORDER BY queue, priority, run_at, id
LIMIT 1;
