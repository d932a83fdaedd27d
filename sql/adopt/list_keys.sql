-- Purpose: the keys of background_jobs, a row for each of their columns.
SELECT INDEX_NAME AS name, NON_UNIQUE = 0 AS uniq, COLUMN_NAME AS columnName, SUB_PART AS prefix
  FROM information_schema.STATISTICS
 WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'background_jobs'
 ORDER BY INDEX_NAME, SEQ_IN_INDEX;
