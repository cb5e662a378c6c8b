"""Reads values with Telethon: tele.py < VALUES"""

import json
import struct
import sys

from telethon.extensions import BinaryReader
from telethon.tl.alltlobjects import LAYER

SHOWN = 10


def read(data):
    """Reads the values, each after its length, and returns what came of it."""
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
            again = bytes(value)
            # It leaves out optional lists that are empty.
            if len(again) >= size and again != body:
                answer["differ"] += 1
                answer["samples"].append(f"{n} {type(value).__name__} is written in another way")
        except Exception as e:
            answer["failed"] += 1
            answer["samples"].append(f"{n} {body[3::-1].hex()} {e}"[:200])
        n += 1
    answer["samples"] = answer["samples"][:SHOWN]
    return answer


print(json.dumps(read(sys.stdin.buffer.read())))
