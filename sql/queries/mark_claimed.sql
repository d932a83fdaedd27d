-- Purpose: the locked jobs are this run's from here on. (run_id, attempts) is the fence of this attempt.
-- Guard: status. Fewer rows than were locked: this server parses SKIP LOCKED and locks nothing.
UPDATE background_jobs
SET status = 'running', run_id = :runId, attempts = attempts + 1, started_at = NOW(3)
WHERE id IN (:ids) AND status = 'pending';
