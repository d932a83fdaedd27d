-- Purpose: store where to go on from. saves counts them, so that a save whose answer was lost is not made twice.
-- Guard: the fence; lock_job holds the row in this transaction.
UPDATE background_jobs SET checkpoint = :checkpoint, saves = saves + 1
WHERE id = :id AND run_id = :runId AND attempts = :attempts AND status = 'running';
