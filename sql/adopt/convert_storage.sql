-- Purpose: a clause of the ALTER: row locks need InnoDB, and keys of this length its DYNAMIC rows.
ENGINE = InnoDB, ROW_FORMAT = DYNAMIC;
