-- Purpose: the session in which another app's table is looked at and altered.
-- Why the server's time zone: its DATETIME values were written in it, and become instants.
-- Why not NO_ZERO_DATE: a zero date in a column that is not Rowlock's stays as it is.
SET @rowlock_time_zone = @@SESSION.time_zone,
    @rowlock_sql_mode = @@SESSION.sql_mode,
    time_zone = @@GLOBAL.time_zone,
    sql_mode = 'STRICT_TRANS_TABLES';
