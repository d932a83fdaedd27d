-- Purpose: what the runs that live or have ended since midnight UTC have brought to an end. The ledger of the
-- runs answers this with an index; the jobs have none on the time they ended.
-- Index: live_runs (finished_at).
SELECT CAST(COALESCE(SUM(completed), 0) AS UNSIGNED) AS completed, CAST(COALESCE(SUM(failed), 0) AS UNSIGNED) AS failed
FROM background_job_runs
WHERE finished_at IS NULL OR finished_at >= CURRENT_DATE;
