-- The table of jobs. Every column but job_type has a default, so that
-- INSERT INTO background_jobs (job_type, payload) VALUES (...) is enough from any language.
-- Adoption reads these definitions, one a line, to know what another app's table lacks.

-- claim_order serves the claim with no sort: equality on (status, queue, priority), a range on
-- run_at, and id, named although InnoDB appends it, so that the cursor is a plain index range.
-- job_type and unique_key compare by bytes: 'A' and 'a' are two types, 'é' and 'e' two keys.
CREATE TABLE background_jobs (
  id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  job_type     VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  payload      JSON NULL,
  status       ENUM('pending', 'running', 'completed', 'failed') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'pending',
  created_at   TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  processed_at TIMESTAMP(3) NULL DEFAULT NULL,
  queue        VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'default',
  priority     SMALLINT NOT NULL DEFAULT 0,
  run_at       TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  unique_key   VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL DEFAULT NULL,
  max_attempts INT UNSIGNED NULL DEFAULT NULL,
  attempts     INT UNSIGNED NOT NULL DEFAULT 0,
  crashes      INT UNSIGNED NOT NULL DEFAULT 0,
  run_id       BIGINT UNSIGNED NULL DEFAULT NULL,
  started_at   TIMESTAMP(3) NULL DEFAULT NULL,
  cancelled_at TIMESTAMP(3) NULL DEFAULT NULL,
  progress     DOUBLE NULL DEFAULT NULL,
  checkpoint   JSON NULL,
  saves        INT UNSIGNED NOT NULL DEFAULT 0,
  result       JSON NULL,
  last_error   TEXT CHARACTER SET utf8mb4 NULL,
  PRIMARY KEY (id),
  UNIQUE KEY one_per_unique_key (job_type, unique_key),
  KEY claim_order (status, queue, priority, run_at, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;
