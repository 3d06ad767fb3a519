# shellcheck shell=bash
# Images. A folder images/NAME holds
#   recipe.sh    TAGS=(…), and fill TAG ROOT, which puts the image's files below ROOT;
#                ALSO=(…), further names of the first tag
#   Dockerfile   copies them; build-time commands and the network play no part
#   files/       (optional) files that go in as they are
# An image carries the hash of its recipe as the label lab.recipe, and is built
# again only when that hash has changed.

# recipe_hash NAME TAG
recipe_hash() {
  local folders=(lib "images/$1")
  ! grep -q '^FROM lab/base:' "images/$1/Dockerfile" || folders+=(images/base)
  {
    find "${folders[@]}" -type f -print0 | sort -z | xargs -0 sha256sum
    printf '%s\n' "$2"
  } | sha256sum | cut -c1-16
}

# build_image NAME
build_image() (
  name=$1
  [ -e "images/$name/recipe.sh" ] || die "no image '$name': there are $(image_names)"
  if [ "$name" != base ] && grep -q '^FROM lab/base:' "images/$name/Dockerfile"; then
    UP_TO_DATE=hush build_image base
  fi
  ALSO=()
  # shellcheck source=/dev/null
  . "images/$name/recipe.sh"
  for tag in "${TAGS[@]}"; do build_tag "$name" "$tag"; done
  for tag in "${ALSO[@]}"; do docker tag "lab/$name:${TAGS[0]}" "lab/$name:$tag"; done
)

image_names() {
  local folder
  for folder in images/*/; do basename "$folder"; done | paste -s -d ' '
}

build_tag() {
  local name=$1 tag=$2 image=lab/$1:$2 context=$CACHE/context/$1 hash built
  hash=$(recipe_hash "$name" "$tag")
  built=$(docker image inspect --format '{{index .Config.Labels "lab.recipe"}}' "$image" 2>/dev/null || true)
  if [ "$built" = "$hash" ]; then
    [ "${UP_TO_DATE:-say}" = hush ] || say "$image up to date"
    return 0
  fi
  rm -rf "$context"
  mkdir -p "$context/rootfs"
  fill "$tag" "$context/rootfs"
  [ ! -d "images/$name/files" ] || cp -a "images/$name/files/." "$context/rootfs/"
  cp "images/$name/Dockerfile" "$context/"
  # the same bytes make the same layers, whenever they are built
  find "$context" -exec touch --no-dereference --date=@1700000000 {} +
  quietly "$CACHE/log/image-$name-$tag" \
    docker build --quiet --label "lab.recipe=$hash" --tag "$image" "$context"
  rm -rf "$context"
  say "$image built, $(docker image inspect --format '{{.Size}}' "$image" | awk '{ printf "%.1f MB", $1 / 1e6 }')"
}

# put ROOT SOURCE TARGET [MODE] : one file, links followed.
put() {
  install -D --mode="${4:-755}" "$2" "$1/$3"
}

# The root that the base image is made of; its libraries serve what is built elsewhere.
base_root() {
  package_root base bookworm closure \
    busybox-static curl libc6 libgcc-s1 tini tzdata
}

LIBRARIES=usr/lib/x86_64-linux-gnu

# needed_libraries ROOT FILE… : prints the names of the libraries in ROOT that the files load.
# Fails when one is nowhere. OWN_LIBRARIES names a folder that comes first (and is not printed).
needed_libraries() {
  local root=$1 loader file listing
  shift
  loader=$(readlink -f "$root/$LIBRARIES/ld-linux-x86-64.so.2")
  for file in "$@"; do
    listing=$("$loader" --library-path "${OWN_LIBRARIES:+$OWN_LIBRARIES:}$root/$LIBRARIES" --list "$file" 2>&1) || true
    case $listing in
      *"not found"*) die "$file cannot be loaded with the libraries of Debian 12: $(grep 'not found' <<<"$listing")" ;;
    esac
    awk -v dir="$root/$LIBRARIES/" 'index($3, dir) == 1 { print substr($3, length(dir) + 1) }' <<<"$listing"
  done | sort -u
}

# The libraries of the base image: what curl loads, and the rest of glibc.
base_libraries() {
  local root=$1
  {
    needed_libraries "$root" "$root/usr/bin/curl"
    printf '%s\n' libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 \
      libresolv.so.2 libutil.so.1 libgcc_s.so.1
  } | sort -u
}

# put_libraries TARGET ROOT FILE… : the libraries that the base image does not have already.
put_libraries() {
  local target=$1 root=$2 base library
  shift 2
  base=$(base_root)
  comm -23 <(needed_libraries "$root" "$@") <(base_libraries "$base") |
    while read -r library; do
      put "$target" "$root/$LIBRARIES/$library" "$LIBRARIES/$library" 644
    done
}

# put_busybox TARGET FOLDER : busybox and a link for each of its applets.
put_busybox() {
  local target=$1 folder=$2 root applet
  root=$(base_root)
  put "$target" "$root/usr/bin/busybox" "$folder/busybox"
  "$root/usr/bin/busybox" --list | while read -r applet; do
    [ "$applet" = busybox ] || ln -sf busybox "$target/$folder/$applet"
  done
}
