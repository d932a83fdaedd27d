-- Purpose: how many jobs of a queue failed for good. Cancelled ones are none, as nobody need look after them.
-- Parameters: queue; most: where looking ends.
-- Index: claim_order (status, queue); then those rows. Locks nothing.
SELECT COUNT(*) AS jobs
FROM (SELECT cancelled_at FROM background_jobs FORCE INDEX (claim_order)
      WHERE status = 'failed' AND queue = :queue
      LIMIT :most) AS looked_at
WHERE cancelled_at IS NULL;
