-- Purpose: takes a tick, in the transaction that inserts its job.
-- Parameters: type, text, tick.
-- Guard: a compare-and-set: last_tick only moves forward. 0 rows: another run has this tick, or a newer one, or
-- the text has changed.
-- Index: the primary key.
UPDATE background_job_schedules
SET last_tick = :tick
WHERE job_type = :type AND cron = :text AND last_tick < :tick;
