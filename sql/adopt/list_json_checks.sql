-- Purpose: MariaDB only, where JSON is LONGTEXT with a check: the columns that have one.
SELECT CONSTRAINT_NAME AS name
  FROM information_schema.CHECK_CONSTRAINTS
 WHERE CONSTRAINT_SCHEMA = DATABASE() AND TABLE_NAME = 'background_jobs'
   AND LEVEL = 'Column' AND CHECK_CLAUSE LIKE 'json_valid(%';
