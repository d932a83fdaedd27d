-- Purpose: every failed job that nobody cancelled. Read once, before any is revived: one that fails again
-- at once must not be revived again.
-- Parameters: type: NULL for any.
-- Index: claim_order (status), then the rows. Locks nothing.
SELECT id
FROM background_jobs FORCE INDEX (claim_order)
WHERE status = 'failed' AND cancelled_at IS NULL AND (:type IS NULL OR job_type = :type)
ORDER BY id;
