# shellcheck shell=bash
# Garage, a real S3 server with a health URL: stands in for MinIO, which no package
# registry has. AGPL-3.0; it runs as a program of its own.
TAGS=(2.5.0)

fill() {
  local version=$1 target=$2 program
  program=$(crate_binary garage "$version" \
    --no-default-features --features bundled-libs,metrics,lmdb)
  put "$target" "$program" usr/local/bin/garage
  put_libraries "$target" "$(base_root)" "$program"
}
