# shellcheck shell=bash
# nginx with its stream module. Debian loads modules from modules-enabled/, so a
# configuration that includes that folder works here and in the upstream image.
TAGS=(1.22)

fill() {
  local version=$1 target=$2 root module=usr/lib/nginx/modules/ngx_stream_module.so
  root=$(package_root nginx bookworm closure nginx libnginx-mod-stream)
  require_version "$root" nginx "$version"
  put "$target" "$root/usr/sbin/nginx" usr/sbin/nginx
  put "$target" "$root/$module" "$module" 644
  put "$target" "$root/etc/nginx/mime.types" etc/nginx/mime.types 644
  put_libraries "$target" "$root" "$root/usr/sbin/nginx" "$root/$module"
  mkdir -p "$target"/var/{lib,log}/nginx "$target/usr/share/nginx/html"
  ln -s /dev/stdout "$target/var/log/nginx/access.log"
  ln -s /dev/stderr "$target/var/log/nginx/error.log"
}
