-- Purpose: which of these unique keys jobs of one type have already.
-- Parameters: keys: a few hundred, as from 1,000 on MariaDB reads the whole index.
-- Index: one_per_unique_key, by force: for so many keys an optimizer may take the index of status instead.
SELECT unique_key AS uniqueKey
FROM background_jobs FORCE INDEX (one_per_unique_key)
WHERE job_type = :jobType AND unique_key IN (:keys);
