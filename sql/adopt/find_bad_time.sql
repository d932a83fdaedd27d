-- Purpose: rows with a time that TIMESTAMP cannot hold: zero dates, before 1970, after 2038-01-19, or in
-- the hour that summer time leaves out. In the session of set_session.
SELECT id FROM background_jobs
 WHERE {column} IS NOT NULL
   AND (COALESCE(UNIX_TIMESTAMP({column}), 0) NOT BETWEEN 1 AND 2147483646
        OR FROM_UNIXTIME(UNIX_TIMESTAMP({column})) <> {column})
 ORDER BY id LIMIT 6;
