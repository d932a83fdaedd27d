-- Purpose: delete jobs that lock_ended_jobs has locked in this transaction.
-- Parameters: ids; status; cutoff.
-- Guard: status and the time it ended, once more.
-- Index: the primary key, by force; only this form of DELETE takes the hint.
DELETE j FROM background_jobs AS j FORCE INDEX (PRIMARY)
WHERE j.id IN (:ids) AND j.status = :status AND j.processed_at < :cutoff;
