-- Purpose: delete the history of jobs that are deleted in this transaction.
-- Parameters: ids: a JSON list.
-- Guard: the jobs are locked, and deleted before it, in this transaction.
-- Index: errors_of_job, for each job. With IN (...) and nothing else both families read the whole table where
-- it has some thousands of rows, whatever FORCE INDEX says.
DELETE e FROM JSON_TABLE(:ids, '$[*]' COLUMNS (id BIGINT PATH '$')) AS o
STRAIGHT_JOIN background_job_errors AS e FORCE INDEX (errors_of_job) ON e.job_id = o.id;
