"""Changes the password of a Milvus user, and proves that it is changed."""

import os
import pathlib
import sys

from pymilvus import MilvusClient


def secret(variable):
    path = pathlib.Path(os.environ[variable])
    if path.stat().st_mode & 0o077:
        sys.exit(f"{path} may be read by others: chmod 600 {path}")
    return path.read_text(encoding="utf-8").rstrip("\n")


def client(user, password):
    uri = os.environ.get("MILVUS_URI", "http://127.0.0.1:19530")
    return MilvusClient(uri=uri, token=f"{user}:{password}")


def main():
    user = os.environ.get("MILVUS_USER", "root")
    old, new = secret("MILVUS_OLD_PASSWORD_FILE"), secret("MILVUS_NEW_PASSWORD_FILE")
    if old == new or not 6 <= len(new) <= 72:
        sys.exit("the new password must be another one, of 6 to 72 characters")
    client(user, old).update_password(user_name=user, old_password=old, new_password=new)
    client(user, new).list_collections()
    try:
        client(user, old).list_collections()
    except Exception:  # what a refused login raises differs from version to version
        print(f"the password of {user} is changed")
    else:
        sys.exit(f"the old password of {user} still works: give it a minute, then look again")


if __name__ == "__main__":
    main()
