-- Purpose: the time zone of the server, and so of DATETIME values that apps without a setting of their own wrote.
SELECT @@GLOBAL.time_zone AS name, @@system_time_zone AS ofSystem;
