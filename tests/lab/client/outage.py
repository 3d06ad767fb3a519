"""outage.py [HOST:PORT]: asks a Milvus for a row over and over, and tells when it could not.

Asks over HTTP, each time by a new connection: a gRPC channel would wait longer and longer
before it tries again. The collection is that of proof.py --keep. The first line says that
there was a first good answer; each further one is an outage, from the last good answer
before it to the first after it. SIGTERM ends it.
"""

import argparse
import json
import os
import time
import urllib.request

NAME = "reconciler_proof"
PAUSE, PATIENCE = 0.1, 2


def has_answer(address):
    password = os.environ.get("MILVUS_PASSWORD", "Milvus")
    wish = {"collectionName": NAME, "filter": "id in [17]", "outputFields": ["id"]}
    request = urllib.request.Request(
        f"http://{address}/v1/vector/query",
        data=json.dumps(wish).encode(),
        headers={"Authorization": f"Bearer root:{password}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            rows = json.load(answer).get("data", [])
    except (OSError, ValueError):
        return False
    return [int(row["id"]) for row in rows] == [17]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("address", nargs="?", default="127.0.0.1:19530")
    address = arguments.parse_args().address
    last, is_out, count = None, False, 0
    while True:
        if has_answer(address):
            now = time.time()
            count += 1
            if last is None:
                print("there is an answer", flush=True)
            elif is_out:
                began = time.strftime("%H:%M:%S", time.gmtime(last))
                print(f"{now - last:.1f} s without an answer since {began}, after {count} answers", flush=True)
            last, is_out = now, False
        else:
            is_out = last is not None
        time.sleep(PAUSE)


main()
