#!/bin/sh
# order_paid.sh ORDER NOTE; the client takes host, user and password from ~/.my.cnf
set -eu

# Whatever is in it: only letters, digits, + / and = become part of the statement.
text() { printf "CONVERT(FROM_BASE64('%s') USING utf8mb4)" "$(printf %s "$1" | base64 | tr -d '\n')"; }

payload=$(jq -cn --arg order "$1" --arg note "$2" '{ order: ($order | tonumber), note: $note }')
eight=$(date -u -d 'tomorrow 08:00' +%s) # GNU date

if ! said=$(mysql --default-character-set=utf8mb4 "$DB_NAME" 2>&1 <<SQL
START TRANSACTION;
INSERT INTO background_jobs (job_type, payload, run_at, unique_key)
VALUES ('invoice.send', $(text "$payload"), FROM_UNIXTIME($eight), $(text "order $1"));
INSERT INTO payments (order_id, note) VALUES ($(text "$1"), $(text "$2"));
COMMIT;
SQL
); then
  case $said in
    *'ERROR 1062 ('*one_per_unique_key*) echo "order $1 has its invoice already" ;;
    *) printf '%s\n' "$said" >&2; exit 1 ;;
  esac
fi
