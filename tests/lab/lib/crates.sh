# shellcheck shell=bash
# Programs compiled from the Rust registry, kept in the cache: the slow part of the lab.

# crate_binary CRATE VERSION CARGO-FLAGS… : compiles it once, prints the binary's path.
crate_binary() {
  local crate=$1 version=$2 root=$CACHE/crates/$1-$2
  shift 2
  if [ ! -x "$root/bin/$crate" ]; then
    need cargo "rustup, or Debian packages of Rust 1.85 or newer"
    need cc "Debian package build-essential"
    say "compiling $crate $version (takes minutes, once)"
    # no optimisation: half of the compile time of a light one, and fast enough for a lab
    quietly "$CACHE/log/crate-$crate" env -u RUSTFLAGS \
      CARGO_TARGET_DIR="$CACHE/crates/target" CARGO_PROFILE_RELEASE_OPT_LEVEL=0 \
      CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
      CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_PROFILE_RELEASE_STRIP=symbols \
      nice cargo install --locked --root "$root" "$crate@$version" "$@"
    rm -rf "$CACHE/crates/target"
  fi
  printf '%s' "$root/bin/$crate"
}
