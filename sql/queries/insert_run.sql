-- Purpose: record that the script runs, and take its lease. One row for each execution.
-- Parameters: runId (random, 53 bits), host, pid, selection (what it serves), leaseMs.
INSERT INTO background_job_runs (id, host, pid, selection, lease_expires_at)
VALUES (:runId, :host, :pid, :selection, NOW(3) + INTERVAL :leaseMs * 1000 MICROSECOND);
