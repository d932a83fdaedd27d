-- Purpose: rows whose text does not fit into a TEXT column.
-- Parameters: most, in bytes.
SELECT id FROM background_jobs WHERE LENGTH(CONVERT({column} USING utf8mb4)) > :most ORDER BY id LIMIT 6;
