# shellcheck shell=bash
# Reads the counters of nginx's stub_status.
TAGS=(0.11.0)

fill() {
  local version=$1 target=$2 root
  root=$(package_root nginx-exporter bookworm alone prometheus-nginx-exporter)
  require_version "$root" prometheus-nginx-exporter "$version"
  put "$target" "$root/usr/bin/prometheus-nginx-exporter" usr/local/bin/nginx-exporter
  put_libraries "$target" "$(base_root)" "$root/usr/bin/prometheus-nginx-exporter"
}
