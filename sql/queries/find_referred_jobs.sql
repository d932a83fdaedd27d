-- Purpose: which of these jobs do rows of another table refer to?
-- Parameters: ids. {table} and {column}: a foreign key as list_references names it, quoted.
-- Index: the one that every foreign key has.
SELECT DISTINCT {column} AS id FROM {table} WHERE {column} IN (:ids);
