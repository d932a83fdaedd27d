-- Purpose: the queues that no run may claim from.
SELECT queue FROM background_job_queues WHERE paused_at IS NOT NULL;
