-- Purpose: what was sold in each city.
-- Parameters: since: the first day, such as 2026-01-31.
SELECT city, COUNT(*) AS orders, SUM(amount) AS total
FROM orders
WHERE ordered_on >= :since
GROUP BY city
ORDER BY total DESC;
