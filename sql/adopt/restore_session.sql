-- Purpose: the session as it was before set_session.
SET time_zone = @rowlock_time_zone,
    sql_mode = @rowlock_sql_mode;
