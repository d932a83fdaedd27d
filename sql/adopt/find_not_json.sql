-- Purpose: rows whose text is no JSON in the server's own judgement.
SELECT id FROM background_jobs WHERE JSON_VALID({column}) = 0 ORDER BY id LIMIT 6;
