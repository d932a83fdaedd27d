-- Purpose: the rows by the word in their status, compared by bytes as the ENUM will.
SELECT CONVERT(status USING utf8mb4) COLLATE utf8mb4_bin AS status, COUNT(*) AS count
  FROM background_jobs
 GROUP BY 1
 ORDER BY 1;
