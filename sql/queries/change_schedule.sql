-- Purpose: a schedule has another cron text, or another time zone, than before: it begins at its next tick.
-- Parameters: type, text; before: the text that was seen.
-- Why the ten minutes: during a deploy hosts with the old text and hosts with the new one take turns, each
-- minute. If each of them began anew, neither would ever come to a tick; so one that was at work until just
-- now goes on from where it was.
-- Guard: the text that was seen. 0 rows: another host was first.
UPDATE background_job_schedules
SET cron = :text, last_tick = IF(last_tick < NOW(3) - INTERVAL 10 MINUTE, NOW(3), last_tick)
WHERE job_type = :type AND cron = :before;
