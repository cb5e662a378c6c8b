"""Reads values with Telethon: telethon.py FOLDER-OF-PACKAGES-OR-EMPTY DUMP"""
import json
import struct
import sys

if sys.argv[1]:
    sys.path.insert(0, sys.argv[1])
from telethon.extensions import BinaryReader  # noqa: E402
from telethon.tl.alltlobjects import LAYER  # noqa: E402

data = open(sys.argv[2], "rb").read()
answer = {"layer": LAYER, "read": 0, "failed": 0, "differ": 0, "samples": []}
at = n = 0
while at < len(data):
    (size,) = struct.unpack_from("<I", data, at)
    body = data[at + 4:at + 4 + size]
    at += 4 + size
    try:
        reader = BinaryReader(body)
        value = reader.tgread_object()
        left = size - reader.tell_position()
        if left:
            raise ValueError(f"{left} bytes left of {type(value).__name__}")
        answer["read"] += 1
    except Exception as e:
        answer["failed"] += 1
        answer["samples"].append(f"{n} {body[3::-1].hex()} {e}"[:200])
    n += 1
answer["samples"] = answer["samples"][:10]
print(json.dumps(answer))
