-- Purpose: foreign keys by which other tables' rows keep jobs from being deleted, those of one column.
-- Asked only after a DELETE was refused (error 1451): information_schema is slow where there are many tables.
SELECT k.TABLE_SCHEMA AS tableSchema, k.TABLE_NAME AS tableName, k.COLUMN_NAME AS columnName,
       k.TABLE_SCHEMA = DATABASE() AS isHere
FROM information_schema.KEY_COLUMN_USAGE AS k
JOIN information_schema.REFERENTIAL_CONSTRAINTS AS r
  ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
WHERE k.REFERENCED_TABLE_SCHEMA = DATABASE() AND k.REFERENCED_TABLE_NAME = 'background_jobs'
  AND k.REFERENCED_COLUMN_NAME = 'id' AND r.DELETE_RULE NOT IN ('CASCADE', 'SET NULL')
ORDER BY 1, 2, 3;
