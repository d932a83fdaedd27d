-- Purpose: does the server answer?
SELECT 1 AS answer;
