-- Purpose: the flags that come with every answer: is a transaction open, and does each statement commit itself?
DO 0;
