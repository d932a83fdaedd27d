-- Purpose: the run's ledger, in the transaction that writes the outcomes, so that the two never differ;
-- and the guard of a settle: a run that was closed writes nothing more. Last before COMMIT.
-- Guard: finished_at. 0 rows: the run is over, and the settle is undone.
UPDATE background_job_runs
SET completed = completed + :completed, retried = retried + :retried, failed = failed + :failed, released = released + :released
WHERE id = :runId AND finished_at IS NULL;
