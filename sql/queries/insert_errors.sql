-- Purpose: the history, one row for each failed attempt.
-- Parameters: rows: (job_id, attempt, run_id, error).
INSERT INTO background_job_errors (job_id, attempt, run_id, error) VALUES :rows;
