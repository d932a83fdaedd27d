-- Purpose: how many jobs of one lane are due, how many come later, and how long the oldest has been due.
-- Parameters: queue, priority; most: where counting ends, so that a large backlog stays cheap to look at
-- (100,000 index entries take 30 to 110 ms, a million 230 to 750).
-- Index: claim_order, and nothing but the index. Locks nothing.
SELECT (SELECT COUNT(*)
        FROM (SELECT 1 FROM background_jobs FORCE INDEX (claim_order)
              WHERE status = 'pending' AND queue = :queue AND priority = :priority AND run_at <= NOW(3)
              LIMIT :most) AS due_jobs) AS due,
       (SELECT COUNT(*)
        FROM (SELECT 1 FROM background_jobs FORCE INDEX (claim_order)
              WHERE status = 'pending' AND queue = :queue AND priority = :priority AND run_at > NOW(3)
              LIMIT :most) AS later_jobs) AS later,
       (SELECT TIMESTAMPDIFF(MICROSECOND, run_at, NOW(3)) DIV 1000
        FROM background_jobs FORCE INDEX (claim_order)
        WHERE status = 'pending' AND queue = :queue AND priority = :priority AND run_at <= NOW(3)
        ORDER BY run_at
        LIMIT 1) AS oldestMs;
