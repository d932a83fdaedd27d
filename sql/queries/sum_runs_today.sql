-- Purpose: what the runs that live or have ended since midnight UTC were and did, by how they ended; outcome
-- NULL: they live.
-- Index: live_runs (finished_at); then those rows, one for each tick of cron today.
SELECT outcome, COUNT(*) AS runs,
       CAST(SUM(completed) AS UNSIGNED) AS completed, CAST(SUM(retried) AS UNSIGNED) AS retried,
       CAST(SUM(failed) AS UNSIGNED) AS failed, CAST(SUM(released) AS UNSIGNED) AS released
FROM background_job_runs
WHERE finished_at IS NULL OR finished_at >= CURRENT_DATE
GROUP BY outcome;
