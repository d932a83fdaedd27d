-- Purpose: the job that a unique_key belongs to.
-- Index: one_per_unique_key.
SELECT id, status FROM background_jobs WHERE job_type = :jobType AND unique_key = :uniqueKey;
