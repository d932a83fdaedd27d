-- Purpose: lets one host at a time migrate this database; the others wait here.
-- Why the hash: a lock's name is the whole server's, and at most 64 characters long.
-- Why 20 s: shorter than the driver's patience with one statement; the caller asks again.
SELECT GET_LOCK(CONCAT('rowlock.migrate.', LEFT(SHA2(LOWER(DATABASE()), 256), 40)), 20) AS taken;
