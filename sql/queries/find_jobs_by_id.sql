-- Purpose: what became of jobs whose settle found no row: an earlier answer was lost, or somebody else wrote.
SELECT id, status, attempts, crashes, run_id AS runId, cancelled_at IS NOT NULL AS cancelled
FROM background_jobs WHERE id IN (:ids);
