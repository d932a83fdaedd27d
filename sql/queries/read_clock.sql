-- Purpose: the database's clock, the only one that counts.
SELECT NOW(3) AS now;
