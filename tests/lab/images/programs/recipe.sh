# shellcheck shell=bash
# What the operator's own image stands on in tests: the programs that it runs.
TAGS=(bookworm)

fill() {
  local target=$2 root git program core=usr/lib/git-core
  # git itself comes alone: it depends on perl, for commands that nobody needs here
  git=$(package_root git bookworm alone git)
  root=$(package_root programs bookworm closure \
    age ca-certificates openssh-client libcurl3-gnutls libexpat1 libpcre2-8-0 zlib1g)
  for program in age ssh ssh-keygen; do
    put "$target" "$root/usr/bin/$program" "usr/bin/$program"
  done
  put "$target" "$git/usr/bin/git" usr/bin/git
  put "$target" "$git/$core/git-remote-http" "$core/git-remote-http"
  ln -s git-remote-http "$target/$core/git-remote-https"
  ln -s ../../bin/git "$target/$core/git"
  put_libraries "$target" "$root" \
    "$root"/usr/bin/{age,ssh,ssh-keygen} "$git/usr/bin/git" "$git/$core/git-remote-http"
  mkdir -p "$target/etc/ssl/certs"
  find "$root/usr/share/ca-certificates/mozilla" -name '*.crt' -print0 | sort -z |
    xargs -0 cat >"$target/etc/ssl/certs/ca-certificates.crt"
}
