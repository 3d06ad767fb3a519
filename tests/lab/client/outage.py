"""outage.py [HOST:PORT]: asks a Milvus for a row over and over, and tells when it could not.

The collection is that of proof.py --keep. Each line is one outage, in seconds from the
last good answer before it to the first after it. SIGTERM ends it.
"""

import argparse
import os
import signal
import sys
import time

from pymilvus import MilvusClient

NAME = "reconciler_proof"
PAUSE = 0.2


def client(address):
    password = os.environ.get("MILVUS_PASSWORD", "Milvus")
    return MilvusClient(uri=f"http://{address}", user="root", password=password, timeout=3)


def asked(known, address):
    """Returns a client that has answered; nothing when there was no good answer."""
    try:
        known = known or client(address)
        rows = known.query(NAME, filter="id in [17]", output_fields=["id"], timeout=3)
        return known if [row["id"] for row in rows] == [17] else None
    except Exception:  # whatever it was, it was no answer
        return None


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("address", nargs="?", default="127.0.0.1:19530")
    address = arguments.parse_args().address
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    known, last, is_out = None, None, False
    while True:
        known = asked(known, address)
        now = time.time()
        if known is None:
            is_out = last is not None
        else:
            if is_out:
                began = time.strftime("%H:%M:%S", time.gmtime(last))
                print(f"{now - last:.1f} s without an answer since {began}", flush=True)
            last, is_out = now, False
        time.sleep(PAUSE)


main()
