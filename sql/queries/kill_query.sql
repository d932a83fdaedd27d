-- Purpose: ends a statement that nobody waits for any more; the server would run it to its end.
-- Parameters: threadId: of the session that runs it, which must still be open.
KILL QUERY :threadId;
