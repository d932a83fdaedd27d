-- Purpose: what is older than these times is old, by the database's clock, read once for the whole prune.
-- Parameters: ageMs, failedAgeMs (NULL: no failed job is old).
-- Why runs stay a day: what has ended today, and whether runs are being skipped, is read from their rows.
SELECT NOW(3) - INTERVAL :ageMs * 1000 MICROSECOND AS ended,
       NOW(3) - INTERVAL :failedAgeMs * 1000 MICROSECOND AS failed,
       LEAST(NOW(3) - INTERVAL :ageMs * 1000 MICROSECOND, NOW(3) - INTERVAL 1 DAY) AS closed;
