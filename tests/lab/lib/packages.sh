# shellcheck shell=bash
# Debian packages, unpacked below the cache. Nothing is installed on the host:
# each suite has apt state of its own, fetched from the mirror that the host uses.

# What packages depend on but no image needs: apt is told that it is there already.
ASSUMED_PACKAGES="adduser debconf dpkg init-system-helpers iproute2 logsave lsb-base
  openssl passwd perl perl-base sysvinit-utils tar ucf usrmerge usr-is-merged"

# host_mirror ARCHIVE : prints the base URI of `debian` or `debian-security` in the host's apt.
host_mirror() {
  local uri
  uri=$(apt-get indextargets --format '$(REPO_URI)' |
    sed 's:/*$::' | awk -v end="/$1" 'substr($0, length($0) - length(end) + 1) == end && !n++')
  [ -n "$uri" ] || die "apt on this host has no source for the archive '$1' (the lab needs Debian's)"
  printf '%s' "$uri"
}

suite_sources() {
  local main security
  main=$(host_mirror debian)
  printf 'deb %s %s main\n' "$main" "$1"
  if [ "$1" = bookworm ]; then
    security=$(host_mirror debian-security)
    printf 'deb %s bookworm-updates main\n' "$main"
    printf 'deb %s bookworm-security main\n' "$security"
  fi
}

# suite_apt SUITE ARGUMENTS… : apt-get that sees this suite and nothing of the host.
suite_apt() {
  local dir=$CACHE/apt/$1
  shift
  DEBIAN_FRONTEND=noninteractive apt-get -q -y \
    -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State="$dir/state" -o Dir::State::lists="$dir/lists" \
    -o Dir::State::status="$dir/status" -o Dir::Cache="$dir" \
    -o Dir::Cache::archives="$dir/archives" \
    -o Dir::Cache::pkgcache=packages.bin -o Dir::Cache::srcpkgcache=sources.bin \
    -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)" \
    -o APT::Install-Recommends=0 -o APT::Install-Suggests=0 "$@"
}

# Prepares a suite; its lists are fetched anew when they are more than a day old.
open_suite() {
  local dir=$CACHE/apt/$1 package
  [ -z "$(find "$dir/opened" -mmin -1440 2>/dev/null)" ] || return 0
  need apt-get "the lab is built on Debian"
  need dpkg-deb "the lab is built on Debian"
  mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$dir/state"
  suite_sources "$1" >"$dir/sources.list"
  for package in $ASSUMED_PACKAGES; do
    printf 'Package: %s\nStatus: install ok installed\nVersion: 999:1\n' "$package"
    printf 'Architecture: %s\nMulti-Arch: foreign\n' "$(dpkg --print-architecture)"
    printf 'Maintainer: none\nDescription: assumed\n'
    [ "$package" != debconf ] || printf 'Provides: debconf-2.0\n'
    printf '\n'
  done >"$dir/status"
  say "Debian $1: package lists"
  quietly "$CACHE/log/apt-$1-update" suite_apt "$1" update
  touch "$dir/opened"
}

# package_closure SUITE PACKAGE… : fetches them with all they depend on, prints the .deb paths.
package_closure() {
  local suite=$1
  shift
  quietly "$CACHE/log/apt-$suite-fetch" suite_apt "$suite" --download-only install "$@"
  suite_apt "$suite" --simulate install "$@" | awk -v dir="$CACHE/apt/$suite/archives" '
    $1 == "Inst" {
      version = substr($3, 2); gsub(":", "%3a", version)
      arch = /\[all\]/ ? "all" : "amd64"
      print dir "/" $2 "_" version "_" arch ".deb"
    }'
}

# package_alone SUITE PACKAGE… : the same without what they depend on.
package_alone() {
  local suite=$1 package deb
  shift
  for package in "$@"; do
    deb=$(suite_apt "$suite" --print-uris download "$package" | awk '{ print $2 }')
    deb=$CACHE/apt/$suite/archives/$deb
    if [ ! -e "$deb" ]; then
      (cd "$CACHE/apt/$suite/archives" &&
        quietly "$CACHE/log/apt-$suite-fetch" suite_apt "$suite" download "$package")
    fi
    printf '%s\n' "$deb"
  done
}

# package_root NAME SUITE closure|alone PACKAGE… : unpacks them once, prints the root folder.
package_root() {
  local name=$1 suite=$2 how=$3 root=$CACHE/roots/$1 deb link
  shift 3
  if [ "$(cat "$root/.lab-packages" 2>/dev/null)" != "$suite $how $*" ]; then
    open_suite "$suite"
    "package_$how" "$suite" "$@" >"$CACHE/apt/$suite/$name.debs"
    rm -rf "$root"
    mkdir -p "$root"/usr/{bin,sbin,lib,lib64}
    for link in bin sbin lib lib64; do ln -s "usr/$link" "$root/$link"; done
    while read -r deb; do
      # dpkg-deb's own extraction would replace the merged-/usr links by folders
      dpkg-deb --fsys-tarfile "$deb" |
        tar --extract --keep-directory-symlink --no-same-owner --directory "$root"
      dpkg-deb --show --showformat '${Package} ${Version}\n' "$deb" >>"$root/.lab-versions"
    done <"$CACHE/apt/$suite/$name.debs"
    printf '%s' "$suite $how $*" >"$root/.lab-packages"
  fi
  printf '%s' "$root"
}

# require_version ROOT PACKAGE VERSION : the mirror must serve what the image's tag says.
require_version() {
  local found
  found=$(awk -v name="$2" '$1 == name { print $2 }' "$1/.lab-versions")
  found=${found#*:}
  case $found in
    "$3" | "$3"[.+~-]* | "$3"ds*) ;;
    *) die "$2 is ${found:-absent} in Debian now, the lab expects $3: adjust images/*/recipe.sh" ;;
  esac
}

# The oracle for the canonical form: Debian 13's docker-compose, which runs by itself.
build_oracle() {
  local root
  [ ! -x "$CACHE/bin/docker-compose" ] || { say "oracle up to date"; return 0; }
  root=$(package_root oracle trixie alone docker-compose)
  require_version "$root" docker-compose 2.26.1
  mkdir -p "$CACHE/bin"
  cp "$root/usr/libexec/docker/cli-plugins/docker-compose" "$CACHE/bin/docker-compose.new"
  mv "$CACHE/bin/docker-compose.new" "$CACHE/bin/docker-compose"
  say "oracle: $CACHE/bin/docker-compose"
}
