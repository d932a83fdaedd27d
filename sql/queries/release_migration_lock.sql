-- Purpose: lets the next host in.
SELECT RELEASE_LOCK(CONCAT('rowlock.migrate.', LEFT(SHA2(LOWER(DATABASE()), 256), 40))) AS released;
