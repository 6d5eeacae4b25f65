"""A witness of the machine: processes that do nothing but sleep, one on each processor, and note when they overslept.

What sounds in real time needs a processor when its time has come. A test that heard a gap can ask here whether anything
could have run then. The file is a program too, with only what starts at once.
"""

from __future__ import annotations

import os
import select
import struct
import subprocess
import sys
import time

SLEEP = 0.01  # seconds, again and again
_NOTE = struct.Struct("=dd")  # when it woke at last, and how late: seconds, of the clock that all processes share
_AT_ONCE = 1 << 16


class Witness:
    """Watches from the beginning until `close`."""

    def __init__(self, bound: float) -> None:
        """What is shorter than `bound` seconds is not noted."""
        self._notes: list[tuple[float, float]] = []
        self._reader, writer = os.pipe()
        argv = [sys.executable, "-I", "-S", __file__, str(writer), str(bound)]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, pass_fds=(writer,), start_new_session=True)
        os.close(writer)
        for _ in os.sched_getaffinity(0):
            os.read(self._reader, _NOTE.size)  # one is awake
        os.set_blocking(self._reader, False)

    def longest(self, since: float) -> float:
        """The longest time, in seconds, that a processor ran nothing that was due, since then (monotonic); or 0."""
        time.sleep(5 * SLEEP)  # what happens just now will be noted
        self.forget(since)
        return max((late for _, late in self._notes), default=0.0)

    def forget(self, before: float) -> None:
        """What was over by then is of no interest."""
        while data := self._read():
            self._notes += _NOTE.iter_unpack(data)
        self._notes = [(woke, late) for woke, late in self._notes if woke > before]

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()
        os.close(self._reader)

    def _read(self) -> bytes:
        try:
            return os.read(self._reader, _AT_ONCE // _NOTE.size * _NOTE.size)
        except BlockingIOError:
            return b""


def watch(writer: int, bound: float) -> None:
    """Tell of the beginning, and of each time that was overslept by `bound` seconds or more, until stdin ends."""
    slept = time.monotonic()
    os.write(writer, _NOTE.pack(slept, 0.0))
    while not select.select([0], [], [], SLEEP)[0]:
        woke = time.monotonic()
        if woke - slept - SLEEP >= bound:
            os.write(writer, _NOTE.pack(woke, woke - slept - SLEEP))
        slept = woke


def main() -> None:
    processors = sorted(os.sched_getaffinity(0))
    for processor in processors[1:]:
        if not os.fork():
            processors[0] = processor
            break
    os.sched_setaffinity(0, {processors[0]})
    watch(int(sys.argv[1]), float(sys.argv[2]))


if __name__ == "__main__":
    main()
