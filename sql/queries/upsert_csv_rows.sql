-- Purpose: csv.import: the same, where a row that has one of the unique keys already is changed, or left as it is.
-- Parameters: as insert_csv_rows has them; {changes}: what becomes of such a row.
-- Why not INSERT IGNORE, for those that are left: it also takes values that do not fit, and cuts them.
INSERT INTO {table} ({columns}) VALUES :rows
ON DUPLICATE KEY UPDATE {changes};
