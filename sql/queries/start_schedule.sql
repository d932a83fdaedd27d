-- Purpose: a schedule is seen for the first time: it begins at its next tick.
-- Parameters: type; text: its cron text and time zone.
-- Guard: the primary key. Of several hosts that see it first the first one counts.
-- Index: the primary key.
INSERT INTO background_job_schedules (job_type, cron, last_tick)
VALUES (:type, :text, NOW(3))
ON DUPLICATE KEY UPDATE last_tick = last_tick;
