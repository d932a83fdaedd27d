-- Purpose: a row that no one else writes, for trying SKIP LOCKED.
INSERT INTO background_job_migrations (version, applied_at)
VALUES (0, NOW(3))
ON DUPLICATE KEY UPDATE version = 0;
