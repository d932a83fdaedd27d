-- Purpose: counters of the server. A name that the family does not know is left out; nobody lacks the privilege.
-- Parameters: names.
SHOW GLOBAL STATUS WHERE Variable_name IN (:names);
