-- Purpose: what kind of table background_jobs is.
SELECT TABLE_TYPE AS type, ENGINE AS engine, ROW_FORMAT AS rowFormat, CREATE_OPTIONS AS options
  FROM information_schema.TABLES
 WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'background_jobs';
