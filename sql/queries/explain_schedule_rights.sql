-- Purpose: whether this user may read, begin and advance schedules. It is explained and never executed, and would
-- change nothing.
INSERT INTO background_job_schedules (job_type, cron, last_tick)
SELECT job_type, cron, last_tick FROM background_job_schedules AS seen WHERE seen.job_type = '' AND seen.cron = ''
ON DUPLICATE KEY UPDATE last_tick = seen.last_tick;
