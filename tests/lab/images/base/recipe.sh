# shellcheck shell=bash
# What the other images stand on: glibc 2.36, busybox, curl, tini, two time zones.
TAGS=(bookworm)

fill() {
  local target=$2 root link library zone
  root=$(base_root)
  mkdir -p "$target"/usr/{bin,sbin,lib,lib64,share} "$target"/{root,run,tmp,var/{lib,log,tmp}}
  chmod 1777 "$target/tmp" "$target/var/tmp"
  for link in bin sbin lib lib64; do ln -s "usr/$link" "$target/$link"; done
  put_busybox "$target" usr/bin
  put "$target" "$root/usr/bin/curl" usr/bin/curl
  put "$target" "$root/usr/bin/tini-static" usr/bin/tini
  put "$target" "$root/$LIBRARIES/ld-linux-x86-64.so.2" usr/lib64/ld-linux-x86-64.so.2
  base_libraries "$root" | while read -r library; do
    put "$target" "$root/$LIBRARIES/$library" "$LIBRARIES/$library"
  done
  for zone in UTC Etc/UTC Asia/Shanghai; do
    put "$target" "$root/usr/share/zoneinfo/$zone" "usr/share/zoneinfo/$zone" 644
  done
}
