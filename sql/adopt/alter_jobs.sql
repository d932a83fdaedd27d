-- Purpose: alters background_jobs in one statement, so that all of it happens or nothing.
-- The clauses are made of the lines of 0002_create_jobs.sql.
ALTER TABLE background_jobs
