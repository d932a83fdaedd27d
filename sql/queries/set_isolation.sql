-- Purpose: a claim locks the rows that it takes and nothing between them (no gap locks).
-- A statement of its own, since the variable's name differs between the families.
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
