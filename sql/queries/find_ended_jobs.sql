-- Purpose: the next jobs of one lane that may have ended before the cutoff, after the cursor (afterRunAt,
-- afterId). A job seldom ends before its run_at, so this reads what is pruned and little else; one that was run
-- before its time is pruned later, never too early. Each row that is read is also answered, so that no
-- statement reads more than its limit.
-- Parameters: status (completed, failed), queue, priority, cutoff; afterRunAt NULL: from the lane's start; limit.
-- Answers: isOld; isUndated: an older script has ended it and not said when; bytes: what deleting it writes.
-- Index: claim_order serves the order, no filesort. Locks nothing.
SELECT id, run_at AS runAt, processed_at IS NULL AS isUndated, COALESCE(processed_at < :cutoff, 0) AS isOld,
       IF(processed_at < :cutoff,
          COALESCE(LENGTH(payload), 0) + COALESCE(LENGTH(checkpoint), 0) + COALESCE(LENGTH(result), 0),
          0) AS bytes
FROM background_jobs FORCE INDEX (claim_order)
WHERE status = :status AND queue = :queue AND priority = :priority AND run_at < :cutoff
  AND (:afterRunAt IS NULL OR (run_at = :afterRunAt AND id > :afterId) OR run_at > :afterRunAt)
ORDER BY run_at, id
LIMIT :limit;
