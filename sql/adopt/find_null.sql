-- Purpose: rows with no value in a column that will have one always.
SELECT id FROM background_jobs WHERE {column} IS NULL ORDER BY id LIMIT 6;
