-- Purpose: lock candidates by primary key and check them again: one may have been claimed, moved or changed.
SELECT id, job_type AS type, payload, queue, priority, run_at AS runAt, created_at AS createdAt,
       max_attempts AS maxAttempts, attempts, crashes, checkpoint, saves,
       TIMESTAMPDIFF(MICROSECOND, started_at, run_at) DIV 1000 AS lastPauseMs
FROM background_jobs FORCE INDEX (PRIMARY)
WHERE id IN (:ids) AND status = 'pending' AND queue = :queue AND priority = :priority
  AND run_at <= NOW(3) AND job_type IN (:types)
FOR UPDATE SKIP LOCKED;
