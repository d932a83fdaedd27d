-- Purpose: the same session whatever the server's defaults are.
-- Parameters: sessionTimeoutSeconds: silent for this long, the session ends and its locks are free.
-- Why the sql_mode: a value that does not fit is an error and is never cut; backslash escapes are on, as the driver quotes with them.
SET time_zone = '+00:00',
    sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
    innodb_lock_wait_timeout = 3,
    wait_timeout = :sessionTimeoutSeconds;
