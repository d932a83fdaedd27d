-- Purpose: a change of a table waits for the open transactions on it, and everyone else waits behind it.
-- Why 10 s: without a limit (a day, a year) one forgotten transaction would stop the whole queue.
SET SESSION lock_wait_timeout = 10;
