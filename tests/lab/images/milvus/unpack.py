"""unpack.py WHEEL TARGET: makes a plain Milvus server of the `milvus` wheel.

The wheel holds the server's files LZMA-packed and a configuration template whose
{{ name(type): default }} marks its Python launcher fills in to run everything in
one process. Here the defaults are filled in, and etcd and the object store are
made external again, as in the upstream configuration.
"""

import lzma
import pathlib
import re
import sys
import zipfile

PACKED = "milvus/data/bin/"
# older than those of the base image
LEFT_OUT = {"libresolv.so.2", "libz.so.1"}
PLACES = {
    "etcd_data_dir": "/var/lib/milvus/etcd",
    "local_storage_dir": "/var/lib/milvus/data",
    "rocksmq_data_dir": "/var/lib/milvus/rdb_data",
    "system_log_path": '""',
}
EXTERNAL = {
    "embed: true": "embed: false",
    "  storageType: local ": "  storageType: remote ",
}


def unpack_programs(wheel, target):
    for entry in wheel.namelist():
        name = entry.removeprefix(PACKED).removesuffix(".lzma")
        if not entry.startswith(PACKED) or not entry.endswith(".lzma") or name in LEFT_OUT:
            continue
        file = target / ("bin" if name == "milvus" else "lib") / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(lzma.decompress(wheel.read(entry)))
        file.chmod(0o755)


def fill_in(mark):
    name, _, default = mark.group(1).partition(":")
    return PLACES.get(name.split("(")[0].strip(), default.strip())


def configuration(template):
    text = re.sub(r"\{\{(.*?)\}\}", fill_in, template)
    for embedded, external in EXTERNAL.items():
        if text.count(embedded) != 1:
            sys.exit(f"the wheel's template has changed: {embedded!r} is not there once")
        text = text.replace(embedded, external)
    return text


def main():
    wheel, target = zipfile.ZipFile(sys.argv[1]), pathlib.Path(sys.argv[2])
    unpack_programs(wheel, target)
    configs = target / "configs"
    configs.mkdir()
    template = wheel.read("milvus/data/config.yaml.template").decode()
    (configs / "milvus.yaml").write_text(configuration(template))
    (configs / "glog.conf").write_bytes(wheel.read("milvus/data/glog.conf"))


main()
