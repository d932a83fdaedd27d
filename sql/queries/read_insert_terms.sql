-- Purpose: what has to be known before an insert: the clock that counts, how far apart the ids of one
-- INSERT are (a cluster spreads them), whether it commits itself, and how long a statement may be.
-- Why UTC_TIMESTAMP: the session may be another app's, in a time zone whose clock is set back once a year.
SELECT UTC_TIMESTAMP(3) AS now,
       @@SESSION.auto_increment_increment AS step,
       @@SESSION.autocommit AS autocommit,
       @@max_allowed_packet AS largestPacket;
