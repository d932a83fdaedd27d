-- Purpose: the server's clock was an hour or more ahead when this tick was taken, and has been set back: without this
-- nothing would be owed until it gets there again. The schedule begins at its next tick.
-- Parameters: type.
-- Guard: the time. 0 rows: another run was first.
-- Index: the primary key.
UPDATE background_job_schedules
SET last_tick = NOW(3)
WHERE job_type = :type AND last_tick > NOW(3) + INTERVAL 1 HOUR;
