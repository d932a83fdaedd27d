-- Purpose: what a run must know of its server before it sends anything large.
SELECT @@max_allowed_packet AS maxAllowedPacket;
