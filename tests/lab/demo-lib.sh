# shellcheck shell=bash
# What demo.sh and demo-down.sh share: where the demo lives, and how it is addressed.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit

# Another binary than the one built here, for those who have one.
: "${RECONCILER:=}"
DATA=.data/demo
# Which images the data was written with: Milvus and its object store cannot change
# between the lab's and the upstream ones under existing data.
CHOICE=$DATA/images

step() { printf '\n== %s\n' "$*" >&2; }

tell() { printf '%s\n' "$@" >&2; }

have_engine() {
  local answer
  if ! command -v docker >/dev/null; then
    tell "The demo needs Docker, and there is no 'docker' command here. To install it:" \
      "  Debian, Ubuntu:  sudo apt-get install docker.io" \
      "  others:          https://docs.docker.com/engine/install/"
    return 1
  fi
  answer=$(docker version 2>&1 >/dev/null) && return 0
  tell "The demo needs a Docker Engine, and none answers:" "  $answer"
  case $answer in
    *"permission denied"*)
      tell "You may not use it yet. Join its group and log in again:" \
        "  sudo usermod -aG docker $(id -un)"
      ;;
    *)
      tell "If it is installed, start it:" \
        "  sudo systemctl start docker" \
        "If only its client is, install the engine (Debian, Ubuntu):" \
        "  sudo apt-get install docker.io" \
        "If it runs elsewhere, say where: export DOCKER_HOST=..."
      ;;
  esac
  return 1
}

build_reconciler() {
  [ -z "$RECONCILER" ] || return 0
  if ! command -v cargo >/dev/null; then
    tell "The demo builds reconciler, and there is no 'cargo' command here." \
      "To install Rust: https://rustup.rs"
    return 1
  fi
  cargo build --release
  RECONCILER=target/release/reconciler
}

# Sets STACK: the arguments that name the demo's stack.
address_stack() {
  STACK=(-f desired-state/milvus.yaml)
  [ "$1" != lab ] || STACK+=(-f tests/lab/milvus.lab.yaml)
  STACK+=(--env-file tests/lab/lab.env --state-dir "$DATA/state")
}

chosen_images() { cat "$CHOICE" 2>/dev/null || true; }
