-- Purpose: csv.import: a batch of lines into a table of the user's own.
-- Parameters: {table} and {columns}: identifiers, quoted; rows: a list of values for each line.
INSERT INTO {table} ({columns}) VALUES :rows;
