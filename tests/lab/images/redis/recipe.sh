# shellcheck shell=bash
TAGS=(7.0)

fill() {
  local version=$1 target=$2 root program
  root=$(package_root redis bookworm closure redis-server)
  require_version "$root" redis-server "$version"
  for program in redis-server redis-cli; do
    put "$target" "$root/usr/bin/$program" "usr/local/bin/$program"
  done
  put_libraries "$target" "$root" "$root/usr/bin/redis-server" "$root/usr/bin/redis-cli"
  mkdir -p "$target/data"
}
