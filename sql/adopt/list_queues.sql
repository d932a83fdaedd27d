-- Purpose: the queues that the rows are in, told apart by bytes.
SELECT DISTINCT CONVERT(queue USING utf8mb4) COLLATE utf8mb4_bin AS queue
  FROM background_jobs
 WHERE queue IS NOT NULL
 ORDER BY 1;
