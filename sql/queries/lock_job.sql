-- Purpose: first in each transaction of a job function's own writes: lock the job, if this attempt still owns it.
-- Guard: the fence. 0 rows: somebody else has it, or it has ended.
SELECT saves FROM background_jobs
WHERE id = :id AND run_id = :runId AND attempts = :attempts AND status = 'running'
FOR UPDATE;
