-- Purpose: the locked jobs are this run's from here on. (run_id, attempts) is the fence of this attempt.
-- Index: the primary key, by force: for a few hundred ids the optimizer may take claim_order (status), lock
-- every pending row on its way and wait for a producer's open INSERT.
-- Guard: status. Fewer rows than were locked: this server parses SKIP LOCKED and locks nothing.
UPDATE background_jobs FORCE INDEX (PRIMARY)
SET status = 'running', run_id = :runId, attempts = attempts + 1, started_at = NOW(3)
WHERE id IN (:ids) AND status = 'pending';
