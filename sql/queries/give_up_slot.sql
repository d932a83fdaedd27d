-- Purpose: let the next run claim, while this one finishes what it holds.
UPDATE background_job_runs SET slot = NULL WHERE id = :runId AND finished_at IS NULL;
