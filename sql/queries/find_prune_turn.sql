-- Purpose: is it a day since a run has pruned? No row: none ever has. A time that lies ahead was written before
-- the server's clock was set back.
-- Parameters: name: a job type's name that no job type may have.
-- Index: the primary key.
SELECT last_tick <= NOW(3) - INTERVAL 1 DAY OR last_tick > NOW(3) + INTERVAL 1 HOUR AS isDue
FROM background_job_schedules
WHERE job_type = :name;
