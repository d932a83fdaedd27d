-- Purpose: a report reads. Whatever its file says, this session writes nothing.
SET SESSION TRANSACTION READ ONLY;
