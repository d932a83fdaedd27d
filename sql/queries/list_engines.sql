-- Purpose: what keeps the rows of these tables. NULL: it is no table.
-- Parameters: names.
SELECT TABLE_NAME AS name, ENGINE AS engine
  FROM information_schema.TABLES
 WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (:names)
 ORDER BY TABLE_NAME;
