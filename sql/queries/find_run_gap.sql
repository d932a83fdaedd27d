-- Purpose: the longest time within the last hour in which no run began, if it is longer than so many seconds.
-- The last run before that hour counts as its beginning; what came before the first run of all is no gap.
-- Parameters: seconds.
-- Index: runs_by_start, a range: sixty rows a host.
SELECT previous AS `from`, started_at AS `until`, TIMESTAMPDIFF(SECOND, previous, started_at) AS seconds
FROM (SELECT started_at, LAG(started_at) OVER (ORDER BY started_at) AS previous
      FROM background_job_runs
      WHERE started_at >= COALESCE((SELECT MAX(earlier.started_at) FROM background_job_runs AS earlier
                                    WHERE earlier.started_at <= NOW(3) - INTERVAL 1 HOUR), '1970-01-02')) AS began
WHERE previous < started_at - INTERVAL :seconds SECOND
ORDER BY seconds DESC
LIMIT 1;
