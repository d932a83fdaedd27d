-- The tables beside background_jobs. They come first: where background_jobs is another app's own, it is
-- altered only when all that the altered table needs is there.
-- IF NOT EXISTS: an adoption that died in here goes through it again.
-- Times are TIMESTAMP(3): an instant, the same from a session in any time zone.

-- One row for each execution of the script. It is the lease of every job that the run holds.
-- one_run_per_slot decides who may claim: a run without a slot has NULL there, which never collides.
CREATE TABLE IF NOT EXISTS background_job_runs (
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
CREATE TABLE IF NOT EXISTS background_job_errors (
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
CREATE TABLE IF NOT EXISTS background_job_queues (
  queue     VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  paused_at TIMESTAMP(3) NULL DEFAULT NULL,
  PRIMARY KEY (queue)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;

-- last_tick is the newest tick that was enqueued; it only ever moves forward.
CREATE TABLE IF NOT EXISTS background_job_schedules (
  job_type  VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  cron      VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  last_tick TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (job_type)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;
