-- Purpose: runs may claim from this queue again.
-- Guard: paused. 0 rows: it was not.
-- Index: the primary key.
UPDATE background_job_queues SET paused_at = NULL WHERE queue = :queue AND paused_at IS NOT NULL;
