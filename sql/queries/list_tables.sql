-- Purpose: which of these names are taken, and by what.
-- Parameters: names.
SELECT TABLE_NAME AS name, TABLE_TYPE AS type
  FROM information_schema.TABLES
 WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (:names);
