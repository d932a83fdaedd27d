-- Purpose: the columns of background_jobs as they are.
SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type, DATA_TYPE AS base, CHARACTER_SET_NAME AS charset,
       COLLATION_NAME AS collation, IS_NULLABLE = 'YES' AS nullable, COLUMN_DEFAULT AS initial, EXTRA AS extra,
       COALESCE(GENERATION_EXPRESSION, '') <> '' AS computed
  FROM information_schema.COLUMNS
 WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'background_jobs'
 ORDER BY ORDINAL_POSITION;
