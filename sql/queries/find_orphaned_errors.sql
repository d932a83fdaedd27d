-- Purpose: the next rows of the history, in the order they were written, and whether each is old and its job
-- gone: deleted by hand. A portion of the table, so that no statement reads more than its limit.
-- Parameters: cutoff, afterId; limit.
-- Index: the primary key of both tables. Locks nothing.
SELECT e.id, e.occurred_at < :cutoff AS isOld, j.id IS NULL AS isOrphaned
FROM background_job_errors AS e FORCE INDEX (PRIMARY)
LEFT JOIN background_jobs AS j FORCE INDEX (PRIMARY) ON j.id = e.job_id
WHERE e.id > :afterId
ORDER BY e.id
LIMIT :limit;
