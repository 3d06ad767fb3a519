#!/usr/bin/env bash
# Takes the demo away: containers and network at once, its data after a question.
#
#   YES=1   deletes the data without asking; without a terminal it is kept otherwise
set -euo pipefail
# shellcheck source=tests/lab/demo-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/demo-lib.sh"

# Deletes the data, as root by way of a container where it belongs to root.
delete_data() {
  local image
  rm -rf "$DATA" 2>/dev/null && return 0
  case $(chosen_images) in
    lab) image=lab/busybox:1.35.0 ;;
    *) image=$(sed -n 's/^ *image: *\(.*nginx.*\)/\1/p' desired-state/milvus.yaml) ;;
  esac
  docker run --rm --network none --volume "$PWD/.data:/data" --entrypoint rm "$image" -rf /data/demo
}

# confirmed QUESTION
confirmed() {
  local answer
  [ -z "${YES:-}" ] || return 0
  [ -t 0 ] || return 1
  read -r -p "$1 [y/N] " answer
  [[ $answer == [yY]* ]]
}

have_engine || exit 3
build_reconciler
address_stack "$(chosen_images)"
step "Taking the stack down: reconciler delete"
"$RECONCILER" "${STACK[@]}" delete --yes

if [ ! -e "$DATA" ]; then
  tell "There is no data of the demo."
elif confirmed "Delete the data of the demo too, in $PWD/$DATA?"; then
  delete_data
  tell "The data is deleted; images and build caches stay."
else
  tell "The data is kept in $PWD/$DATA; to delete it: YES=1 make demo-down"
fi
