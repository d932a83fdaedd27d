-- Purpose: a schedule has another cron text, or another time zone, than before: it begins at its next tick.
-- Parameters: type, text; before: the text that was seen.
-- Why the minutes: during a deploy hosts with the old text and hosts with the new one take turns, each minute.
-- If each of them began anew, none would ever come to a tick. So where the row was written to in the last ten
-- minutes, by a tick or by such a change, it goes on from there, and looks back two minutes at most.
-- Guard: the text that was seen. 0 rows: another host was first.
-- Index: the primary key.
UPDATE background_job_schedules
SET cron = :text,
    last_tick = IF(last_tick < NOW(3) - INTERVAL 10 MINUTE, NOW(3), GREATEST(last_tick, NOW(3) - INTERVAL 2 MINUTE))
WHERE job_type = :type AND cron = :before;
