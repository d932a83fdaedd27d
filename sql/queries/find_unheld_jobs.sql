-- Purpose: the first running rows that no run holds: an older script's.
-- Parameters: limit.
-- Index: claim_order (status), then the rows, of which runs hold few. Locks nothing.
SELECT id
FROM background_jobs FORCE INDEX (claim_order)
WHERE status = 'running' AND run_id IS NULL
ORDER BY id
LIMIT :limit;
