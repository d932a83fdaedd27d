-- Purpose: rows that would be refused by one_per_unique_key: the newest of each pair.
SELECT MAX(id) AS id
  FROM background_jobs
 WHERE unique_key IS NOT NULL
 GROUP BY CONVERT(job_type USING utf8mb4) COLLATE utf8mb4_bin, CONVERT(unique_key USING utf8mb4) COLLATE utf8mb4_bin
HAVING COUNT(*) > 1
 ORDER BY 1 LIMIT 6;
