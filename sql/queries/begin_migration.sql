-- Purpose: says that a migration has begun, before its first statement.
-- Parameters: version.
-- Guard: only under the migration lock. The row may be there from an adoption that died.
INSERT INTO background_job_migrations (version, applied_at)
VALUES (:version, NULL)
ON DUPLICATE KEY UPDATE applied_at = NULL;
