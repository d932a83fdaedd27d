-- Purpose: rows whose text does not fit into the column's new type.
-- Parameters: most, in characters.
SELECT id FROM background_jobs WHERE CHAR_LENGTH({column}) > :most ORDER BY id LIMIT 6;
