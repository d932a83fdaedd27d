-- Purpose: the newest jobs, read from the end of the table until enough are found.
-- Parameters: status, type, queue, each NULL for any; limit.
-- Index: the primary key, backwards; or one_per_unique_key where a type is rare. The server chooses, as it
-- alone knows how rare the type is.
SELECT j.id, j.job_type AS type, j.queue, j.priority, j.status, j.attempts, j.created_at AS createdAt,
       j.run_at AS runAt, j.started_at AS startedAt, j.processed_at AS processedAt,
       j.cancelled_at AS cancelledAt, j.progress, LEFT(j.last_error, 1000) AS lastError, NOW(3) AS now
FROM background_jobs AS j
WHERE (:status IS NULL OR j.status = :status)
  AND (:type IS NULL OR j.job_type = :type)
  AND (:queue IS NULL OR j.queue = :queue)
ORDER BY j.id DESC
LIMIT :limit;
