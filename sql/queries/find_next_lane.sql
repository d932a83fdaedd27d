-- Purpose: the lane, one (queue, priority), after the given one, and whether its earliest job is due.
-- The OR form reads one entry on both families; (queue, priority) > (?, ?) read 203,000, and neither
-- chooses a loose scan for GROUP BY. The order is the index's own, so the first entry is the earliest.
-- Index: claim_order. Locks nothing.
SELECT queue, priority, run_at <= NOW(3) AS due
FROM background_jobs FORCE INDEX (claim_order)
WHERE status = 'pending' AND (queue > :queue OR (queue = :queue AND priority > :priority))
ORDER BY queue, priority, run_at, id
LIMIT 1;
