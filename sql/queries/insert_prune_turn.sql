-- Purpose: the first turn that there ever is. Of many runs that try, one inserts the row; the others get
-- error 1062.
-- Parameters: name.
-- Guard: the primary key.
INSERT INTO background_job_schedules (job_type, cron, last_tick) VALUES (:name, '@daily', NOW(3));
