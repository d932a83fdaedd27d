-- Purpose: the transaction that has been open for the longest, whoever's it is. session 0: a prepared one of XA.
-- Its start is told in the zone of the server's machine, whatever the session's is.
SELECT trx_mysql_thread_id AS session,
       TIMESTAMPDIFF(SECOND, trx_started, CONVERT_TZ(NOW(), '+00:00', 'SYSTEM')) AS seconds
  FROM information_schema.INNODB_TRX
 WHERE trx_mysql_thread_id <> CONNECTION_ID()
 ORDER BY trx_started
 LIMIT 1;
