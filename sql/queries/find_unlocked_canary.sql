-- Purpose: what another session sees of a row that is held: nothing, if SKIP LOCKED is meant.
-- Index: PRIMARY.
SELECT version FROM background_job_migrations WHERE version = 0 FOR UPDATE SKIP LOCKED;
