#!/usr/bin/env bash
# An upgrade of real software under a running operator: etcd 3.4.23 to 3.5.16 and Milvus
# 2.3.4 to 2.3.5, by editing the tags in a file. It shows that Milvus is stopped before
# etcd is replaced and started after it is ready, that data from before is found after,
# how long no client had an answer, and that a broken tag changes nothing.
#
#   MILVUS_PORT=19531          the port on 127.0.0.1, and the one of the metrics
#   MILVUS_METRICS_PORT=9191
#   RECONCILER=PATH            another binary than the one built here
#   KEEP=1                     leaves the stack and its data there at the end
set -euo pipefail
# shellcheck source=tests/lab/demo-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/demo-lib.sh"

export MILVUS_PORT=${MILVUS_PORT:-19531} MILVUS_METRICS_PORT=${MILVUS_METRICS_PORT:-9191}
export LAB_NAME=reconciler-upgrade DATA_DIR=$PWD/.data/upgrade/data
PLACE=.data/upgrade
EDITED=$PLACE/upgrade.yaml
STACK=(-f desired-state/milvus.yaml -f tests/lab/milvus.lab.yaml -f "$EDITED"
  --env-file tests/lab/lab.env -p "$LAB_NAME" --state-dir "$PLACE/state")
PYTHON=${RECONCILER_LAB_CACHE:-.cache/lab}/client/bin/python
MILVUS_PASSWORD=$(sed -n 's/^MILVUS_PASSWORD=//p' tests/lab/lab.env)
export MILVUS_PASSWORD
OPERATOR='' CLIENT=''

cleanup() {
  local status=$?
  [ -z "$CLIENT" ] || kill "$CLIENT" 2>/dev/null || true
  [ -z "$OPERATOR" ] || { kill "$OPERATOR" 2>/dev/null && wait "$OPERATOR" 2>/dev/null; } || true
  if [ -z "${KEEP:-}" ]; then
    "$RECONCILER" "${STACK[@]}" delete --yes >&2 || true
    docker run --rm --network none --volume "$PWD/.data:/data" --entrypoint rm \
      lab/busybox:1.35.0 -rf /data/upgrade || true
  fi
  exit "$status"
}

fail() {
  tell "FAILED: $*"
  tail -n 40 "$PLACE/run.log" >&2 || true
  exit 1
}

# of SERVICE FIELD : what docker inspect says of a container
of() { docker inspect --format "{{$2}}" "$LAB_NAME-$1" 2>/dev/null; }

# edit OLD NEW : as an editor saves, by a new file with the old name
edit() {
  sed "s#$1#$2#" "$EDITED" >"$EDITED.new"
  mv "$EDITED.new" "$EDITED"
  tell "edited: $1 is now $2"
}

# until_true SECONDS WHAT COMMAND...
until_true() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || fail "$what did not come in time"
    sleep 0.5
  done
}

has_image() { [ "$(of "$1" .Config.Image)" = "$2" ]; }
is_ready() { "$RECONCILER" "${STACK[@]}" status >/dev/null 2>&1; }
is_restarted() { [[ $(of standalone .State.StartedAt) > $stopped_from ]]; }
has_event() { "$RECONCILER" "${STACK[@]}" events 2>/dev/null | grep -q "$1"; }

# earlier WHAT ONE OTHER : times as the engine writes them, in UTC, in this order
earlier() {
  [[ $2 < $3 ]] || fail "$1: $2 is not before $3"
  tell "  $1: ${2:11:12} < ${3:11:12}"
}

have_engine || exit 3
step "Building reconciler, images and the client"
build_reconciler
tests/lab/build busybox etcd nginx milvus s3-garage client
[ ! -e "$PLACE" ] || { tell "$PWD/$PLACE is there: an earlier run was kept."; exit 1; }
mkdir -p "$PLACE"
cp tests/lab/upgrade.yaml "$EDITED"
trap cleanup EXIT

step "The old versions: reconciler run"
"$RECONCILER" "${STACK[@]}" run >"$PLACE/run.log" 2>&1 &
OPERATOR=$!
until_true 300 "the stack" is_ready
"$PYTHON" tests/lab/client/proof.py "127.0.0.1:$MILVUS_PORT" --keep
"$PYTHON" tests/lab/client/outage.py "127.0.0.1:$MILVUS_PORT" >"$PLACE/outages" 2>"$PLACE/client.log" &
CLIENT=$!
until_true 60 "a first answer" grep -q "there is an answer" "$PLACE/outages"

step "etcd 3.4.23 to 3.5.16"
stopped_from=$(of standalone .State.StartedAt)
edit lab/etcd:3.4.23 lab/etcd:3.5.16
until_true 120 "the new etcd" has_image etcd lab/etcd:3.5.16
until_true 300 "the stack" is_ready
until_true 60 "the restart of Milvus" is_restarted
until_true 300 "the stack" is_ready
earlier "Milvus had ended before the new etcd started" "$(of standalone .State.FinishedAt)" "$(of etcd .State.StartedAt)"
earlier "the new etcd had started before Milvus did" "$(of etcd .State.StartedAt)" "$(of standalone .State.StartedAt)"
[ "$(of standalone .State.ExitCode)" = 0 ] || fail "Milvus crashed"
"$PYTHON" tests/lab/client/proof.py "127.0.0.1:$MILVUS_PORT" --kept

step "Milvus 2.3.4 to 2.3.5"
edit lab/milvus:2.3.4 lab/milvus:2.3.5
until_true 120 "the new Milvus" has_image standalone lab/milvus:2.3.5
until_true 300 "the stack" is_ready
"$PYTHON" tests/lab/client/proof.py "127.0.0.1:$MILVUS_PORT" --kept
sleep 3
step "What a client saw"
sed 's/^/  /' "$PLACE/outages" >&2
before=$(wc -l <"$PLACE/outages")

step "A broken tag"
serving=$(of standalone .Id)
edit lab/milvus:2.3.5 lab/milvus:2.3.nonsense
until_true 60 "the event" has_event "2.3.nonsense"
sleep 10
[ "$(of standalone .Id)" = "$serving" ] || fail "the old Milvus does not serve any more"
"$PYTHON" tests/lab/client/proof.py "127.0.0.1:$MILVUS_PORT" --kept
[ "$(wc -l <"$PLACE/outages")" = "$before" ] || fail "there was an outage: $(tail -n 1 "$PLACE/outages")"
"$RECONCILER" "${STACK[@]}" events | grep "2.3.nonsense" >&2
edit lab/milvus:2.3.nonsense lab/milvus:2.3.5
until_true 60 "the stack" is_ready
[ "$(of standalone .Id)" = "$serving" ] || fail "Milvus was replaced for nothing"
step "Done: nothing was lost, and the broken tag changed nothing"
