# shellcheck shell=bash
# A container registry: for tests of pulls, digests and moved tags.
TAGS=(2.8.2)

fill() {
  local version=$1 target=$2 root
  root=$(package_root registry bookworm alone docker-registry)
  require_version "$root" docker-registry "$version"
  put "$target" "$root/usr/bin/docker-registry" usr/local/bin/registry
  put_libraries "$target" "$(base_root)" "$root/usr/bin/docker-registry"
  mkdir -p "$target/var/lib/registry"
}
