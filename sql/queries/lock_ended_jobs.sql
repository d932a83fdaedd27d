-- Purpose: lock what find_ended_jobs has named and look again: a failed job may have been revived. One that
-- somebody else holds just now is left to the next prune.
-- Parameters: ids; status; cutoff.
-- Guard: status and the time it ended.
-- Index: the primary key.
SELECT id FROM background_jobs FORCE INDEX (PRIMARY)
WHERE id IN (:ids) AND status = :status AND processed_at < :cutoff
FOR UPDATE SKIP LOCKED;
