# shellcheck shell=bash
# A small S3 server on plain files; compiles in a third of Garage's time, has no health URL.
TAGS=(0.14.1)

fill() {
  local version=$1 target=$2 program
  program=$(crate_binary s3s-fs "$version" --features binary)
  put "$target" "$program" usr/local/bin/s3s-fs
  put_libraries "$target" "$(base_root)" "$program"
}
