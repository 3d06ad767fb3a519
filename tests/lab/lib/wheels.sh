# shellcheck shell=bash
# Python packages. The host needs python3 alone: pip is Debian's, unpacked in the cache.

# lab_pip PYTHON ARGUMENTS… : pip, run by that interpreter.
lab_pip() {
  local python=$1 root
  shift
  if [ ! -e "$CACHE/pip/.unpacked" ]; then
    root=$(package_root pip bookworm alone python3-pip-whl)
    rm -rf "$CACHE/pip"
    "$python" -m zipfile --extract "$root"/usr/share/python-wheels/pip-*.whl "$CACHE/pip"
    touch "$CACHE/pip/.unpacked"
  fi
  PIP_DISABLE_PIP_VERSION_CHECK=1 "$python" "$CACHE/pip/pip" "$@"
}

# wheel PACKAGE VERSION : fetches one wheel alone, prints its path.
wheel() {
  local dir=$CACHE/wheels file
  need python3 "Debian package python3"
  mkdir -p "$dir"
  file=$(find "$dir" -name "$1-$2-*.whl")
  if [ -z "$file" ]; then
    say "PyPI: $1 $2"
    quietly "$CACHE/log/wheel-$1-$2" lab_pip python3 download --no-deps --only-binary=:all: \
      --dest "$dir.part" "$1==$2"
    mv "$dir.part"/*.whl "$dir/"
    rmdir "$dir.part"
    file=$(find "$dir" -name "$1-$2-*.whl")
  fi
  printf '%s' "$file"
}

# The real client of the demo's proof, in a virtual environment of its own.
build_client() {
  local venv=$CACHE/client wanted
  wanted=$(sha256sum <client/requirements.txt)
  if [ "$(cat "$venv/.built" 2>/dev/null)" = "$wanted" ]; then
    say "client up to date"
    return 0
  fi
  need python3 "Debian package python3"
  python3 -c 'import sys; sys.exit(not (3, 8) <= sys.version_info[:2] <= (3, 12))' ||
    die "the client (pymilvus 2.3.7) needs Python 3.8 to 3.12; this is $(python3 --version)"
  rm -rf "$venv"
  python3 -m venv --without-pip "$venv"
  quietly "$CACHE/log/client" lab_pip "$venv/bin/python" install \
    --no-compile --only-binary=:all: --requirement client/requirements.txt
  printf '%s' "$wanted" >"$venv/.built"
  say "client: $venv/bin/python"
}
