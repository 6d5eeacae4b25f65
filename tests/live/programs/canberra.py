"""A program on libcanberra: `canberra.py play FILE` plays a stream, `canberra.py cached FILE` a cached sample."""

from __future__ import annotations

import ctypes
import sys
import threading

ca = ctypes.CDLL("libcanberra.so.0")


def main(way: str, path: str) -> int:
    context, properties, ended = ctypes.c_void_p(), ctypes.c_void_p(), threading.Event()
    outcome: list[int] = []

    def told(_context: int, _number: int, error: int, _data: int) -> None:
        outcome.append(error)
        ended.set()

    callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_void_p)(told)
    ca.ca_context_create(ctypes.byref(context))
    ca.ca_context_set_driver(context, b"pulse")
    ca.ca_proplist_create(ctypes.byref(properties))
    said = {"media.filename": path, "media.name": "tone", "event.id": "eardrum-tone"}
    if way == "cached":
        said["canberra.cache-control"] = "permanent"
    for key, text in said.items():
        ca.ca_proplist_sets(properties, key.encode(), text.encode())
    if error := ca.ca_context_play_full(context, 1, properties, callback, None):
        return -error
    ended.wait(60)
    ca.ca_context_destroy(context)
    return -outcome[0] if outcome else 1


sys.exit(main(*sys.argv[1:]))
