-- Purpose: all of one job.
-- Index: the primary key.
SELECT id, job_type AS type, payload, status, queue, priority, created_at AS createdAt, run_at AS runAt,
       unique_key AS uniqueKey, max_attempts AS maxAttempts, attempts, crashes, run_id AS runId,
       started_at AS startedAt, processed_at AS processedAt, cancelled_at AS cancelledAt, progress,
       checkpoint, saves, result, last_error AS lastError, NOW(3) AS now
FROM background_jobs
WHERE id = :id;
