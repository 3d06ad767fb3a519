#!/bin/sh
# Brings the database to the newest schema, step by step. Run again, it changes nothing.
set -eu

database() { redis-cli -e -h database "$@"; }

version=$(database get schema)
version=${version:-0}
echo "the schema is at version $version"

if [ "$version" -lt 1 ]; then
  database mset visits 0 schema 1 >/dev/null
fi
if [ "$version" -lt 2 ]; then
  database mset greeting Hello schema 2 >/dev/null
fi
echo "the schema is at version $(database get schema)"
