-- Purpose: all of one job.
-- Index: the primary key.
-- Why CONVERT: MySQL sends JSON in the session's own charset and calls it binary; a text says which charset it is in.
SELECT id, job_type AS type, CONVERT(payload USING utf8mb4) AS payload, status, queue, priority, created_at AS createdAt, run_at AS runAt,
       unique_key AS uniqueKey, max_attempts AS maxAttempts, attempts, crashes, run_id AS runId,
       started_at AS startedAt, processed_at AS processedAt, cancelled_at AS cancelledAt, progress,
       CONVERT(checkpoint USING utf8mb4) AS checkpoint, saves, CONVERT(result USING utf8mb4) AS result,
       last_error AS lastError, NOW(3) AS now
FROM background_jobs
WHERE id = :id;
