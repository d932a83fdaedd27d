-- Purpose: triggers on background_jobs; they fire for Rowlock's writes too.
SELECT TRIGGER_NAME AS name
  FROM information_schema.TRIGGERS
 WHERE EVENT_OBJECT_SCHEMA = DATABASE() AND EVENT_OBJECT_TABLE = 'background_jobs'
 ORDER BY TRIGGER_NAME;
