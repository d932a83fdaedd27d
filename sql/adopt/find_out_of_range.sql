-- Purpose: rows whose number does not fit into the column's new type.
-- Parameters: least, most.
SELECT id FROM background_jobs WHERE {column} NOT BETWEEN :least AND :most ORDER BY id LIMIT 6;
