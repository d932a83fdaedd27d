-- Purpose: the run that holds a job, or held it last.
-- Index: the primary key.
SELECT id, host, pid, slot, started_at AS startedAt, lease_expires_at AS leaseExpiresAt,
       finished_at AS finishedAt, outcome
FROM background_job_runs
WHERE id = :runId;
