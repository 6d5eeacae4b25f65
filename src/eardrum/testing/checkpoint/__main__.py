"""The process of a checkpoint: `python -m eardrum.testing.checkpoint LISTEN SERVER [--device NAME…] [--ceiling N]`.

Standard input: a line asks for the account, which is written to standard output as one line of JSON; its end ends
the process. Everything is passed on as it came, lawful or not; descriptors are not.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import sys
from array import array
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Lock, Thread

from eardrum.testing.checkpoint.law import HIGHEST_LEVEL, Terms
from eardrum.testing.checkpoint.passage import Passage

READ_BYTES = 256 * 1024
MOST_DESCRIPTORS = 16  # that one message is asked for; the kernel closes what is beyond
MOST_FAULTS = 1000


class Post:
    """All connections; two threads for each, of which one judges at a time."""

    def __init__(self, server: str, terms: Terms) -> None:
        self._server = server
        self._terms = terms
        self._judging = Lock()
        self._connections = 0
        self._said: Counter[str] = Counter()
        self._faults: list[str] = []

    def serve(self, listening: socket.socket) -> None:
        """Let connections through, for ever."""
        while True:
            worker, _ = listening.accept()
            upstream = socket.socket(socket.AF_UNIX)
            try:
                upstream.connect(self._server)
            except OSError:
                upstream.close()
                worker.close()
                continue
            passage = self._begin()
            both = [
                Thread(target=self._pass_on, args=(worker, upstream, passage.worker_says, passage.note), daemon=True),
                Thread(target=self._pass_on, args=(upstream, worker, passage.upstream_says, None), daemon=True),
            ]
            for thread in both:
                thread.start()

    def account(self) -> str:
        """What came by until now, as JSON."""
        with self._judging:
            return json.dumps({"connections": self._connections, "said": self._said, "faults": self._faults})

    def _begin(self) -> Passage:
        with self._judging:
            self._connections += 1
            name = f"connection {self._connections}"

        def note(fault: str) -> None:
            if len(self._faults) < MOST_FAULTS:
                self._faults.append(f"{name}: {fault}")

        return Passage(self._terms, self._said, note)

    def _pass_on(
        self,
        near: socket.socket,
        far: socket.socket,
        hears: Callable[[memoryview], None],
        note: Callable[[str], None] | None,
    ) -> None:
        """One direction, to its end. `note` is told of descriptors that came along."""
        with contextlib.suppress(OSError):
            while True:
                data, ancillary, _, _ = near.recvmsg(READ_BYTES, socket.CMSG_SPACE(4 * MOST_DESCRIPTORS))
                with self._judging:
                    count = sum(_close(content) for level, _, content in ancillary if level == socket.SOL_SOCKET)
                    if count and note:
                        note(f"{count} descriptors")
                    hears(memoryview(data))
                if not data:
                    break
                far.sendall(data)
        for end in (near, far):  # its other direction ends too, and the last of both closes them
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def _close(content: bytes) -> int:
    """Close the descriptors of a message; how many they were."""
    descriptors = array("i", content[: len(content) - len(content) % 4])
    for descriptor in descriptors:
        os.close(descriptor)
    return len(descriptors)


def main() -> None:
    parser = argparse.ArgumentParser(prog="checkpoint")
    parser.add_argument("listen", type=Path)
    parser.add_argument("server")
    parser.add_argument("--device", action="append", default=[])
    parser.add_argument("--ceiling", type=int, default=HIGHEST_LEVEL)
    asked = parser.parse_args()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(asked.listen))
        listening.listen(128)
        print("listening", flush=True)
        post = Post(asked.server, Terms(frozenset(asked.device), asked.ceiling))
        Thread(target=post.serve, args=(listening,), daemon=True).start()
        for _ in sys.stdin:
            print(post.account(), flush=True)


if __name__ == "__main__":
    main()
