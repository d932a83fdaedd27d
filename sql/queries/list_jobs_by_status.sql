-- Purpose: the newest jobs of a status or a queue that few jobs are in. Going back from the end of the table
-- could read millions of others before it meets twenty of them.
-- Parameters: statuses; type and queue, each NULL for any; limit.
-- Index: claim_order (status, queue): ids come from the index alone where no type is asked for, the rows
-- are read for those that are shown.
SELECT j.id, j.job_type AS type, j.queue, j.priority, j.status, j.attempts, j.created_at AS createdAt,
       j.run_at AS runAt, j.started_at AS startedAt, j.processed_at AS processedAt,
       j.cancelled_at AS cancelledAt, j.progress, LEFT(j.last_error, 1000) AS lastError, NOW(3) AS now
FROM (SELECT id FROM background_jobs FORCE INDEX (claim_order)
      WHERE status IN (:statuses) AND (:queue IS NULL OR queue = :queue) AND (:type IS NULL OR job_type = :type)
      ORDER BY id DESC
      LIMIT :limit) AS newest
JOIN background_jobs AS j ON j.id = newest.id
ORDER BY j.id DESC;
