-- Purpose: the session of one report, on a server whose defaults its author knows and keeps.
-- Why the sql_mode: parameters are quoted with backslashes, which this mode alone would take as they are.
-- Why the timeout: rows are read no faster than the disk takes them, and a stalled disk must not end the report.
SET time_zone = '+00:00',
    sql_mode = REPLACE(@@SESSION.sql_mode, 'NO_BACKSLASH_ESCAPES', ''),
    net_write_timeout = 600;
