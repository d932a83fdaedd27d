-- The six tables of a queue. Every column of background_jobs but job_type has a default, so that
-- INSERT INTO background_jobs (job_type, payload) VALUES (...) is enough from any language.
-- Times are TIMESTAMP(3): an instant, the same from a session in any time zone.

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
  result       JSON NULL,
  last_error   TEXT CHARACTER SET utf8mb4 NULL,
  PRIMARY KEY (id),
  UNIQUE KEY one_per_unique_key (job_type, unique_key),
  KEY claim_order (status, queue, priority, run_at, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;

-- One row for each execution of the script. It is the lease of every job that the run holds.
-- one_run_per_slot decides who may claim: a run without a slot has NULL there, which never collides.
CREATE TABLE background_job_runs (
  id               BIGINT UNSIGNED NOT NULL,
  host             VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  pid              INT UNSIGNED NOT NULL,
  selection        VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  slot             SMALLINT UNSIGNED NULL DEFAULT NULL,
  started_at       TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  lease_expires_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  finished_at      TIMESTAMP(3) NULL DEFAULT NULL,
  outcome          ENUM('finished', 'stopped', 'skipped', 'lost', 'error') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL DEFAULT NULL,
  claimed          INT UNSIGNED NOT NULL DEFAULT 0,
  completed        INT UNSIGNED NOT NULL DEFAULT 0,
  retried          INT UNSIGNED NOT NULL DEFAULT 0,
  failed           INT UNSIGNED NOT NULL DEFAULT 0,
  released         INT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY one_run_per_slot (host, selection, slot),
  KEY live_runs (finished_at, lease_expires_at),
  KEY runs_by_start (started_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;

-- One row for each failed attempt. job_id has the adopted table's freedom: no foreign key, so that
-- deleting a job never waits for its history.
CREATE TABLE background_job_errors (
  id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  job_id      BIGINT NOT NULL,
  attempt     INT UNSIGNED NOT NULL,
  run_id      BIGINT UNSIGNED NULL,
  occurred_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  error       TEXT CHARACTER SET utf8mb4 NOT NULL,
  PRIMARY KEY (id),
  KEY errors_of_job (job_id, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;

-- A queue has a row here only once someone has paused or resumed it.
CREATE TABLE background_job_queues (
  queue     VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  paused_at TIMESTAMP(3) NULL DEFAULT NULL,
  PRIMARY KEY (queue)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;

-- last_tick is the newest tick that was enqueued; it only ever moves forward.
CREATE TABLE background_job_schedules (
  job_type  VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  cron      VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  last_tick TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (job_type)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;
