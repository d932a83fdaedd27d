-- Purpose: running rows that name a run, which is none of Rowlock's: it would take them back from it.
SELECT id FROM background_jobs WHERE status = 'running' AND run_id IS NOT NULL ORDER BY id LIMIT 6;
