# shellcheck shell=bash
# What every part of the lab needs: places, messages, one builder at a time.

LAB=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
REPO=$(cd "$LAB/../.." && pwd)
CACHE=${RECONCILER_LAB_CACHE:-$REPO/.cache/lab}
mkdir -p "$CACHE"
CACHE=$(cd "$CACHE" && pwd)
export LC_ALL=C
shopt -s inherit_errexit

say() { printf 'lab: %s\n' "$*" >&2; }

die() {
  say "$@"
  exit 1
}

# No failure is silent: a command that fails unexpectedly is named.
set -E
trap 'say "stopped: ${BASH_SOURCE[0]##*/} line $LINENO"' ERR

# need COMMAND WHERE-TO-GET-IT
need() {
  command -v "$1" >/dev/null || die "the command '$1' is missing ($2)"
}

# quietly LOG COMMAND… : runs it with its output in LOG, which is shown if it fails.
quietly() {
  local log=$1
  shift
  mkdir -p "$(dirname "$log")"
  if ! "$@" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    die "failed: $1 (all of its output: $log)"
  fi
}

# Waits for any other build in the same cache; the lock ends with this process.
one_builder_at_a_time() {
  need flock "Debian package util-linux"
  exec 9>"$CACHE/lock"
  flock -n 9 || { say "another build is running, waiting for it"; flock 9; }
}
