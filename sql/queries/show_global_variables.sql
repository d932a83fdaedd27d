-- Purpose: how the server is set. A name that the family does not know is left out; nobody lacks the privilege.
-- Parameters: names.
SHOW GLOBAL VARIABLES WHERE Variable_name IN (:names);
