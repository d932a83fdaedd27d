-- Purpose: enqueue a batch of jobs in one round trip.
-- Parameters: rows: [job_type, payload, queue, priority, run_at, unique_key, max_attempts] for each job.
-- Why VALUES and not SELECT from JSON_TABLE: an INSERT whose number of rows is known beforehand gets
-- consecutive ids under every innodb_autoinc_lock_mode, so the first id and the step tell all of them.
-- Guard: one_per_unique_key. A duplicate (1062) refuses the whole batch.
INSERT INTO background_jobs (job_type, payload, queue, priority, run_at, unique_key, max_attempts)
VALUES :rows;
