-- Purpose: the server that this one replicates; no row: none. MySQL from 8.0.22 on, MariaDB from 10.5 on.
SHOW REPLICA STATUS;
