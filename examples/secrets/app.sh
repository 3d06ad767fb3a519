#!/bin/sh
# Logs in with one secret and reports on the other, without showing either.
set -eu
trap 'exit 0' TERM

REDISCLI_AUTH=$(cat /run/secrets/database_password)
export REDISCLI_AUTH
redis-cli -e -h database set api_key_bytes "$(wc -c </run/secrets/api.key)" >/dev/null
echo "logged in; the API key has $(redis-cli -h database get api_key_bytes) bytes"
touch /tmp/logged-in

while :; do
  sleep 1
done
