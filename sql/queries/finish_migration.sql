-- Purpose: says that a migration has finished, whether or not its beginning was written down.
-- Parameters: version.
-- Guard: only under the migration lock.
INSERT INTO background_job_migrations (version, applied_at)
VALUES (:version, NOW(3))
ON DUPLICATE KEY UPDATE applied_at = NOW(3);
