-- Purpose: what this run has left over is the next run's to prune, and need not wait for a day.
-- Parameters: name.
-- Guard: only the run that has the turn asks this.
-- Index: the primary key.
UPDATE background_job_schedules SET last_tick = NOW(3) - INTERVAL 1 DAY WHERE job_type = :name;
