#!/bin/sh
# A job in another language: the payload comes on standard input, the result goes to standard output.
words=$(wc -w)
echo "{\"words\": $((words))}"
