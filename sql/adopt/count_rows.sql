-- Purpose: all rows, where there is no status to count them by.
SELECT COUNT(*) AS count FROM background_jobs;
