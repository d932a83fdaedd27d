-- Purpose: which migrations were begun and finished, and on which server. Each command asks this first.
-- Index: PRIMARY. Version 0 is the canary, no migration.
SELECT version, applied_at, VERSION() AS server
  FROM background_job_migrations
 WHERE version > 0
 ORDER BY version;
