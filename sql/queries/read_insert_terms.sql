-- Purpose: what has to be known before an insert: the clock that counts, how far apart the ids of one
-- INSERT are (a cluster spreads them), and how long a statement may be.
SELECT NOW(3) AS now,
       @@SESSION.auto_increment_increment AS step,
       @@max_allowed_packet AS largestPacket;
