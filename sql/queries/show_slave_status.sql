-- Purpose: the same in the only words that MySQL before 8.0.22 knows.
SHOW SLAVE STATUS;
