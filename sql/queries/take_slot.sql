-- Purpose: be one of the runs that may claim. The unique key one_run_per_slot decides, never a count:
-- error 1062 says that another run has this slot.
UPDATE background_job_runs SET slot = :slot WHERE id = :runId AND finished_at IS NULL;
