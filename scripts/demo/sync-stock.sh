#!/bin/sh
# A job that fails the first time, as a service over the network may.
if [ "$ROWLOCK_ATTEMPT" = 1 ]; then
  echo 'the warehouse answered 503, try again later' >&2
  exit 1
fi
echo '{"articles": 128}'
