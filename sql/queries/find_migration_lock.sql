-- Purpose: whether a migration is at work just now: the connection that holds the lock, or NULL.
SELECT IS_USED_LOCK(CONCAT('rowlock.migrate.', LEFT(SHA2(LOWER(DATABASE()), 256), 40))) AS holder;
