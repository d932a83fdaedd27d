-- Purpose: whether this user may prune here. It is explained and never executed, and would delete nothing.
DELETE FROM background_job_runs WHERE id = 0;
