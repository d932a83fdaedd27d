-- Purpose: how many transactions the server has not purged yet. Enabled by default on both families.
SELECT `COUNT` AS length FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len';
