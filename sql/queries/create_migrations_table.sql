-- Purpose: where it is written down which migrations were applied.
-- Why applied_at may be NULL: the row is there before the migration begins, and stamped when it has finished.
CREATE TABLE IF NOT EXISTS background_job_migrations (
  version    INT UNSIGNED NOT NULL,
  applied_at TIMESTAMP(3) NULL DEFAULT NULL,
  PRIMARY KEY (version)
) ENGINE = InnoDB;
