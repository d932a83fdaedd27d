-- Purpose: the server's own word; the greeting of a connection may come from a proxy.
SELECT VERSION() AS version;
