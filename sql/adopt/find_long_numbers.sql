-- Purpose: MySQL only: rows with a number that its JSON type would round, 64-bit integers and doubles being all it has.
SELECT id FROM background_jobs
 WHERE {column} REGEXP '[0-9]{20}|[0-9]{16}[.][0-9]|[0-9][.][0-9]{16}'
 ORDER BY id LIMIT 6;
