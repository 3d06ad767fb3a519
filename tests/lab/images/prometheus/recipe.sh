# shellcheck shell=bash
# The server and its API; Debian leaves the web interface's assets out.
TAGS=(2.53.3)

fill() {
  local version=$1 target=$2 root
  root=$(package_root prometheus trixie alone prometheus promtool)
  require_version "$root" prometheus "$version"
  put "$target" "$root/usr/bin/prometheus" usr/local/bin/prometheus
  put "$target" "$root/usr/bin/promtool" usr/local/bin/promtool
  put "$target" "$root/etc/prometheus/prometheus.yml" etc/prometheus/prometheus.yml 644
  put_libraries "$target" "$(base_root)" "$root/usr/bin/prometheus"
  mkdir -p "$target/prometheus"
}
