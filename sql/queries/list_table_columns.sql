-- Purpose: what csv.import has to know of a table that it writes to.
-- transactional is NULL for a view, whose tables have the answer.
SELECT c.column_name AS name, c.is_nullable = 'YES' AS nullable,
       c.column_default IS NOT NULL OR c.extra LIKE '%auto\_increment%' OR c.extra LIKE '%default\_generated%' AS hasDefault,
       COALESCE(c.generation_expression, '') <> '' AS isGenerated,
       t.engine AS engine, e.transactions = 'YES' AS transactional,
       @@max_allowed_packet AS packetBytes, @@local_infile AS takesLoads
FROM information_schema.COLUMNS AS c
JOIN information_schema.TABLES AS t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
LEFT JOIN information_schema.ENGINES AS e ON e.engine = t.engine
WHERE c.table_schema = DATABASE() AND c.table_name = :table
ORDER BY c.ordinal_position;
