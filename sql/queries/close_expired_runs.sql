-- Purpose: close runs that find_expired_runs has locked in this transaction.
-- Guard: the compare-and-set of close_run, and the lease once more.
UPDATE background_job_runs
SET finished_at = NOW(3), outcome = 'lost', slot = NULL
WHERE id IN (:ids) AND finished_at IS NULL AND lease_expires_at < NOW(3);
