# shellcheck shell=bash
# One static file: for tests that need a container and nothing else.
TAGS=(1.35.0)
ALSO=(latest)

fill() {
  local version=$1 root=$2
  require_version "$(base_root)" busybox-static "$version"
  put_busybox "$root" bin
  mkdir -p "$root"/{etc,root,tmp,var/tmp}
  chmod 1777 "$root/tmp" "$root/var/tmp"
}
