-- Purpose: takes back a beginning after which nothing was done.
-- Parameters: version.
-- Guard: one that has finished is never forgotten.
DELETE FROM background_job_migrations
 WHERE version = :version AND applied_at IS NULL;
