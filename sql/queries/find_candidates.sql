-- Purpose: due jobs of some types in one lane, after the cursor. Reads without locks: a locking read
-- would lock, or walk through, every job of the other types on its way.
-- Parameters: afterRunAt NULL: from the lane's start.
-- Index: claim_order.
SELECT id, run_at AS runAt
FROM background_jobs FORCE INDEX (claim_order)
WHERE status = 'pending' AND queue = :queue AND priority = :priority AND run_at <= :until
  AND (:afterRunAt IS NULL OR (run_at = :afterRunAt AND id > :afterId) OR run_at > :afterRunAt)
  AND job_type IN (:types)
ORDER BY run_at, id
LIMIT :limit;
