#!/usr/bin/env bash
# The demo: the stack of desired-state/milvus.yaml, brought up by reconciler on this
# machine's Docker Engine and used by a real client. A second run changes nothing;
# demo-down.sh takes it all away.
#
#   DEMO_IMAGES=lab|upstream   which images (default: upstream if they can be pulled)
#   MILVUS_PORT=19530          the port on 127.0.0.1
#   RECONCILER=PATH            another binary than the one built here
set -euo pipefail
# shellcheck source=tests/lab/demo-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/demo-lib.sh"

# upstream_images : makes sure of all the images of the production file, or fails.
upstream_images() {
  local image
  sed -n 's/^ *image: *//p' desired-state/milvus.yaml | while read -r image; do
    docker image inspect "$image" >/dev/null 2>&1 || docker pull "$image" || return 1
  done
}

choose_images() {
  local choice=${DEMO_IMAGES:-} before
  before=$(chosen_images)
  if [ -n "$before" ] && [ "${choice:=$before}" != "$before" ]; then
    tell "The data in $DATA was written with the $before images: run make demo-down first."
    return 1
  fi
  if [ -z "$choice" ]; then
    if upstream_images >&2; then
      choice=upstream
    else
      tell "The upstream images cannot be pulled here: the lab's take their place."
      choice=lab
    fi
  fi
  case $choice in
    upstream) upstream_images >&2 ;;
    lab) tests/lab/build busybox etcd nginx milvus s3-garage ;;
    *)
      tell "DEMO_IMAGES is lab or upstream, not '$choice'."
      return 1
      ;;
  esac
  mkdir -p "$DATA"
  printf '%s\n' "$choice" >"$CHOICE"
}

prove() {
  local password
  password=$(sed -n 's/^MILVUS_PASSWORD=//p' tests/lab/lab.env)
  tests/lab/build client
  MILVUS_PASSWORD=${MILVUS_PASSWORD:-$password} \
    "${RECONCILER_LAB_CACHE:-.cache/lab}/client/bin/python" tests/lab/client/proof.py \
    "127.0.0.1:${MILVUS_PORT:-19530}"
}

what_next() {
  step "What to try next"
  cat >&2 <<TEXT
  alias demo='$RECONCILER ${STACK[*]}'

  demo diff                                 nothing: all is as the file says
  docker update --memory 3g --memory-swap 6g milvus-standalone; demo diff
                                            a change by hand is seen; demo apply takes it back
  docker rm -f milvus-nginx; demo apply     what is gone is made again
  sed -i 's/MILVUS_MEMORY=4G/MILVUS_MEMORY=3G/' tests/lab/lab.env; demo apply
                                            a new limit, without a restart
  demo run                                  watch the files and the engine, and keep converging
  demo explain standalone                   every field: wanted, found, and why

  make demo                                 again: changes nothing
  make demo-down                            take it away; asks before data
TEXT
}

have_engine || exit 3
step "Building reconciler"
build_reconciler
step "Images"
choose_images
address_stack "$(chosen_images)"
step "Converging: reconciler apply"
"$RECONCILER" "${STACK[@]}" apply
step "Status: reconciler status"
"$RECONCILER" "${STACK[@]}" status
step "Proof: a client through nginx on 127.0.0.1:${MILVUS_PORT:-19530}"
prove
what_next
