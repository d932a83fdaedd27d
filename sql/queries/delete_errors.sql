-- Purpose: delete rows of the history whose jobs are gone, as find_orphaned_errors has named them. An id that
-- is gone is never given out again.
-- Parameters: ids; cutoff.
-- Guard: the time. It is needed for the index as well: with IN (...) alone both families read the whole table.
-- Index: the primary key.
DELETE e FROM background_job_errors AS e FORCE INDEX (PRIMARY)
WHERE e.id IN (:ids) AND e.occurred_at < :cutoff;
