-- Purpose: how many jobs of a queue are in a status, up to a number: completed ones run to millions.
-- Parameters: status, queue; most: where counting ends.
-- Index: claim_order, and nothing but the index. Locks nothing.
SELECT COUNT(*) AS jobs
FROM (SELECT 1 FROM background_jobs FORCE INDEX (claim_order)
      WHERE status = :status AND queue = :queue
      LIMIT :most) AS counted;
