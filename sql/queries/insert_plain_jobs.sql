-- Purpose: enqueue a batch of jobs that are due now and have neither a key nor a limit, as most are: 11 us a row against 13
-- on MariaDB, as the server has three values less to read. For what is said of ids see insert_jobs.
-- Parameters: rows: [job_type, payload, queue, priority] for each job. Queue and priority are named, although mostly the
-- table's defaults: an app may have changed these for rows of its own.
INSERT INTO background_jobs (job_type, payload, queue, priority) VALUES :rows;
