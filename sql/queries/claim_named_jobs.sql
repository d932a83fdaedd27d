-- Purpose: lock the jobs that somebody asked for by id, whatever their run_at or their queue's pause.
SELECT id, job_type AS type, payload, queue, priority, run_at AS runAt, created_at AS createdAt,
       max_attempts AS maxAttempts, attempts, crashes, checkpoint, saves,
       TIMESTAMPDIFF(MICROSECOND, started_at, run_at) DIV 1000 AS lastPauseMs
FROM background_jobs FORCE INDEX (PRIMARY)
WHERE id IN (:ids) AND status = 'pending'
FOR UPDATE SKIP LOCKED;
