# shellcheck shell=bash
# The standalone server inside PyPI's `milvus` wheels; two versions, for upgrades.
TAGS=(2.3.5 2.3.4)

fill() {
  local version=$1 target=$2 file
  file=$(wheel milvus "$version")
  python3 images/milvus/unpack.py "$file" "$target/milvus"
  mkdir -p "$target/var/lib/milvus"
  OWN_LIBRARIES=$target/milvus/lib put_libraries "$target" "$(base_root)" "$target/milvus/bin/milvus"
}
