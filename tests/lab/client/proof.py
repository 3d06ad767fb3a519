"""proof.py [HOST:PORT]: proves that a Milvus serves, the way an application uses it.

Logs in as root with MILVUS_PASSWORD (default: Milvus' own), and with a collection of
its own creates, inserts, indexes, searches and checks what was found.
  --keep    leaves the collection there
  --kept    looks for the rows of an earlier run with --keep instead
"""

import argparse
import os
import random
import sys
import time

from pymilvus import (
    Collection,
    CollectionSchema,
    DataType,
    FieldSchema,
    connections,
    utility,
)

NAME = "reconciler_proof"
ROWS, DIMENSION = 2000, 32
ASKED = [0, 17, ROWS - 1]
STARTED = time.monotonic()


def say(what):
    print(f"  {time.monotonic() - STARTED:5.1f} s  {what}", flush=True)


def vectors():
    numbers = random.Random(7)
    return [[numbers.random() for _ in range(DIMENSION)] for _ in range(ROWS)]


def connect(address):
    connections.connect(
        uri=f"http://{address}", user="root", password=os.environ.get("MILVUS_PASSWORD", "Milvus"), timeout=60
    )
    say(f"logged in at {address}: Milvus {utility.get_server_version()}")


def create():
    if utility.has_collection(NAME):
        utility.drop_collection(NAME)
    fields = [
        FieldSchema("id", DataType.INT64, is_primary=True),
        FieldSchema("v", DataType.FLOAT_VECTOR, dim=DIMENSION),
    ]
    collection = Collection(NAME, CollectionSchema(fields))
    say(f"created the collection {NAME}")
    return collection


def fill(collection):
    count = collection.insert([list(range(ROWS)), vectors()]).insert_count
    collection.flush()
    say(f"inserted {count} rows")
    collection.create_index("v", {"index_type": "IVF_FLAT", "metric_type": "L2", "params": {"nlist": 32}})
    utility.wait_for_index_building_complete(NAME, timeout=120)
    say("indexed them")


def search(collection):
    collection.load(timeout=180)
    wanted = vectors()
    found = collection.search(
        [wanted[row] for row in ASKED],
        "v",
        {"metric_type": "L2", "params": {"nprobe": 32}},
        limit=3,
        consistency_level="Strong",
        timeout=60,
    )
    nearest = [hits[0].id for hits in found]
    if nearest != ASKED:
        sys.exit(f"searched for the rows {ASKED} and found {nearest}")
    say(f"searched: the nearest of {ASKED} are {nearest}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("address", nargs="?", default="127.0.0.1:19530")
    arguments.add_argument("--keep", action="store_true")
    arguments.add_argument("--kept", action="store_true")
    chosen = arguments.parse_args()
    connect(chosen.address)
    if chosen.kept:
        collection = Collection(NAME)
    else:
        collection = create()
        fill(collection)
    search(collection)
    if not (chosen.keep or chosen.kept):
        collection.drop()
        say("dropped the collection")


main()
