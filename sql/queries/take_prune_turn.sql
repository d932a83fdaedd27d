-- Purpose: the run whose UPDATE finds the row prunes today, whatever the number of hosts.
-- Parameters: name.
-- Guard: last_tick, a compare-and-set on the database's clock. 0 rows: another run was first.
-- Index: the primary key.
UPDATE background_job_schedules SET last_tick = NOW(3)
WHERE job_type = :name AND (last_tick <= NOW(3) - INTERVAL 1 DAY OR last_tick > NOW(3) + INTERVAL 1 HOUR);
