-- Purpose: how far these job types' schedules have come, and the clock that decides what they owe.
-- Parameters: types.
-- Index: the primary key. Locks nothing.
SELECT job_type AS type, cron AS text, last_tick AS lastTick, NOW(3) AS now
FROM background_job_schedules
WHERE job_type IN (:types);
