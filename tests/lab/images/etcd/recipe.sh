# shellcheck shell=bash
# Two versions, so that an upgrade with data can be tried.
TAGS=(3.5.16 3.4.23)

fill() {
  local version=$1 target=$2 suite root
  case $version in
    3.5.*) suite=trixie ;;
    3.4.*) suite=bookworm ;;
  esac
  root=$(package_root "etcd-$version" "$suite" alone etcd-server etcd-client)
  require_version "$root" etcd-server "$version"
  put "$target" "$root/usr/bin/etcd" usr/local/bin/etcd
  put "$target" "$root/usr/bin/etcdctl" usr/local/bin/etcdctl
  put_libraries "$target" "$(base_root)" "$root/usr/bin/etcd" "$root/usr/bin/etcdctl"
}
