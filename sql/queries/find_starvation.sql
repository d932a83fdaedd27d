-- Purpose: were all runs of this host and selection skipped for a while, although jobs are due? Told once:
-- by the first run past the limit. since: start of the first skipped run after the last one that was not.
-- Parameters: host, selection, runId (this run, just skipped).
-- Index: one_run_per_slot (host, selection).
SELECT TIMESTAMPDIFF(SECOND, MIN(r.started_at), NOW(3)) AS skippedSeconds,
       TIMESTAMPDIFF(SECOND, MIN(r.started_at), MAX(IF(r.id = :runId, NULL, r.started_at))) AS beforeSeconds
FROM background_job_runs AS r
WHERE r.host = :host AND r.selection = :selection AND r.outcome = 'skipped'
  AND r.started_at > NOW(3) - INTERVAL 1 DAY
  AND r.started_at > (SELECT COALESCE(MAX(o.started_at), '1970-01-02')
                      FROM background_job_runs AS o
                      WHERE o.host = :host AND o.selection = :selection AND o.id <> :runId
                        AND o.started_at > NOW(3) - INTERVAL 1 DAY
                        AND (o.outcome IS NULL OR o.outcome <> 'skipped'));
