-- Purpose: the server's clock, whatever zone the session is in.
SELECT UTC_TIMESTAMP(3) AS now;
