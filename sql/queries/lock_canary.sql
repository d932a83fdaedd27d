-- Purpose: holds the canary row.
-- Index: PRIMARY.
SELECT version FROM background_job_migrations WHERE version = 0 FOR UPDATE;
