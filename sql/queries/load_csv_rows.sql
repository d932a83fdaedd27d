-- Purpose: csv.import: a batch of lines into a table of the user's own, read as a file by the server.
-- Parameters: {table} and {columns}: identifiers, quoted. The worker sends the rows when the server asks for the file.
-- It warns where an INSERT fails: the worker undoes it then, and inserts them.
LOAD DATA LOCAL INFILE 'rows' INTO TABLE {table} CHARACTER SET utf8mb4
FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n' ({columns});
