-- Four users, each with the least that its work needs, on MySQL >= 8.0.4 and MariaDB >= 10.6.
--
--     mysql app < sql/grants.sql        as a user that may CREATE USER and GRANT; app is Rowlock's database
--
-- A new database, or an upgrade: run this file; run rowlock migrate as the migrator; run this file again. Only the
-- migrator's rights can be granted before there are tables: the first time the file ends there, with error 1146.
--
-- A user that is not there is made locked and without a password. Nobody comes in before you say, for each:
--     ALTER USER 'rowlock_worker'@'%' IDENTIFIED BY 'a long random one' ACCOUNT UNLOCK;
-- A server that insists on strong passwords refuses to make it like this (error 1819): make the four yourself,
--     CREATE USER 'rowlock_worker'@'%' IDENTIFIED BY 'a long random one';
-- and run the file then. Other names, or '10.0.0.%' instead of any host: change them in a copy of this file.
--
-- A user that is there keeps its password, its lock, and whatever else it may do: this file only ever adds, and
-- run again it changes nothing. Table names stand alone: the database that the client is in decides.

-- Migrator: DATABASE_URL of rowlock migrate, and of nothing else.
CREATE USER IF NOT EXISTS 'rowlock_migrator'@'%' ACCOUNT LOCK;
GRANT CREATE, SELECT, INSERT, UPDATE, DELETE ON background_job_migrations TO 'rowlock_migrator'@'%';
GRANT CREATE ON background_job_runs TO 'rowlock_migrator'@'%';
GRANT CREATE ON background_job_errors TO 'rowlock_migrator'@'%';
GRANT CREATE ON background_job_schedules TO 'rowlock_migrator'@'%';
-- The rest is for --adopt, which alters a table of another app, looks at its rows first, and pauses their queues.
-- TRIGGER and REFERENCES let it see, and name beforehand, the triggers on that table and the foreign keys of others
-- that point at it. They read no row.
GRANT CREATE, SELECT, INSERT, UPDATE ON background_job_queues TO 'rowlock_migrator'@'%';
GRANT CREATE, SELECT, ALTER, TRIGGER ON background_jobs TO 'rowlock_migrator'@'%';
GRANT REFERENCES ON * TO 'rowlock_migrator'@'%';

CREATE USER IF NOT EXISTS 'rowlock_producer'@'%' ACCOUNT LOCK;
CREATE USER IF NOT EXISTS 'rowlock_worker'@'%' ACCOUNT LOCK;
CREATE USER IF NOT EXISTS 'rowlock_viewer'@'%' ACCOUNT LOCK;

-- From here on the tables must be there: error 1146 in the next statement says that rowlock migrate comes first.

-- Producer: an app that enqueues. The second line is all that an INSERT or the library needs, the first one is for
-- rowlock enqueue. An app that has a user of its own in this database wants the second line for that user instead.
GRANT SELECT (version, applied_at) ON background_job_migrations TO 'rowlock_producer'@'%';
GRANT INSERT (job_type, payload, queue, priority, run_at, unique_key, max_attempts) ON background_jobs TO 'rowlock_producer'@'%';
-- Only to be told which job has a unique_key already; then it may also read every job's key:
-- GRANT SELECT (id, job_type, status, unique_key) ON background_jobs TO 'rowlock_producer'@'%';

-- Worker: rowlock run and schedule, and the commands that change jobs: retry, cancel, pause, resume, prune. What was
-- asked for (type, payload, queue, priority) it cannot alter. What else it is to touch is yours to grant it: the tables
-- to which your job functions write by ctx.complete or ctx.save; and, so that prune can name a table of yours whose
-- foreign key keeps jobs from being deleted, SELECT, REFERENCES (job_id) on that table, job_id being its column.
GRANT SELECT, DELETE,
      INSERT (job_type, payload, queue, priority, run_at, unique_key, max_attempts),
      UPDATE (status, processed_at, run_at, unique_key, attempts, crashes, run_id, started_at, cancelled_at,
              progress, checkpoint, saves, result, last_error)
   ON background_jobs TO 'rowlock_worker'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON background_job_runs TO 'rowlock_worker'@'%';
GRANT SELECT, INSERT, DELETE ON background_job_errors TO 'rowlock_worker'@'%';
GRANT SELECT, INSERT, UPDATE ON background_job_queues TO 'rowlock_worker'@'%';
GRANT SELECT, INSERT, UPDATE ON background_job_schedules TO 'rowlock_worker'@'%';
GRANT SELECT ON background_job_migrations TO 'rowlock_worker'@'%';
-- Only for rowlock doctor, which says so where it may not look. The first shows it transactions that stay open, and
-- every session's statements with them. The second is for trying SKIP LOCKED on MySQL, where only who may change a
-- row may lock it. The third tells whether the server is a replica; on MariaDB it is called SLAVE MONITOR.
-- GRANT PROCESS ON *.* TO 'rowlock_worker'@'%';
-- GRANT UPDATE (version) ON background_job_migrations TO 'rowlock_worker'@'%';
-- GRANT REPLICATION CLIENT ON *.* TO 'rowlock_worker'@'%';

-- Viewer: dashboards, metrics and people who look: rowlock status, list, show, metrics. It writes nothing;
-- but on MariaDB whoever may read a row may also lock it.
-- To keep from it what jobs were given and gave back, so that rowlock show is refused, write this instead of the first
-- line. By NATURAL JOIN, which asks for no right on its columns, it can still try whether a payload is a given text.
-- GRANT SELECT (id, job_type, status, created_at, processed_at, queue, priority, run_at, unique_key, max_attempts,
--               attempts, crashes, run_id, started_at, cancelled_at, progress, saves, last_error)
--    ON background_jobs TO 'rowlock_viewer'@'%';
GRANT SELECT ON background_jobs TO 'rowlock_viewer'@'%';
GRANT SELECT ON background_job_runs TO 'rowlock_viewer'@'%';
GRANT SELECT ON background_job_errors TO 'rowlock_viewer'@'%';
GRANT SELECT ON background_job_queues TO 'rowlock_viewer'@'%';
GRANT SELECT ON background_job_schedules TO 'rowlock_viewer'@'%';
GRANT SELECT ON background_job_migrations TO 'rowlock_viewer'@'%';
