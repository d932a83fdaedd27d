-- Purpose: every queue that somebody has paused or resumed, and since when it is paused.
SELECT queue, paused_at AS pausedAt FROM background_job_queues ORDER BY queue;
