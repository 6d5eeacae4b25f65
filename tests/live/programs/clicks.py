"""A program on libpulse: `clicks.py PLAYS-TO HEARS-AT SOURCE` plays clicks at one server and records them at another.

For each click it prints by how many milliseconds it was heard later than the latency said that was reported when it was
written.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable
from ctypes import byref, c_char_p, c_int, c_int64, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p
from typing import Any

import numpy as np

RATE = 48_000  # Hz; mono, float32le
SECOND = 4 * RATE  # bytes
CLICKS = 8
SPACING = RATE // 4  # frames
DEADLINE = 30.0  # seconds
READY = {"pa_context": 4, "pa_stream": 2}
ADJUST_LATENCY = 0x2000
UNSAID = 0xFFFFFFFF

pulse = ctypes.CDLL("libpulse.so.0")
for name in ("mainloop_new", "mainloop_get_api", "context_new", "stream_new", "stream_update_timing_info"):
    getattr(pulse, f"pa_{name}").restype = c_void_p
pulse.pa_stream_writable_size.restype = c_size_t


class Spec(ctypes.Structure):
    _fields_ = [("format", c_int), ("rate", c_uint32), ("channels", c_uint8)]


class Attr(ctypes.Structure):
    _fields_ = [(name, c_uint32) for name in ("maxlength", "tlength", "prebuf", "minreq", "fragsize")]


FLOAT32LE = Spec(5, RATE, 1)
Done = ctypes.CFUNCTYPE(None, c_void_p, c_int, c_void_p)
loop = c_void_p(pulse.pa_mainloop_new())


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        assert pulse.pa_mainloop_iterate(loop, 0, None) >= 0
        time.sleep(0.0002)


def ready(kind: str, it: c_void_p) -> c_void_p:
    until(lambda: getattr(pulse, f"{kind}_get_state")(it) == READY[kind])
    return it


def connect(server: str) -> c_void_p:
    api = c_void_p(pulse.pa_mainloop_get_api(loop))
    context = c_void_p(pulse.pa_context_new(api, b"clicks"))
    assert pulse.pa_context_connect(context, c_char_p(server.encode()), 1, None) >= 0
    return ready("pa_context", context)


def latency(stream: c_void_p) -> float:
    """Seconds until what is written now is heard, or since what is read now was."""
    answered: list[int] = []
    done = Done(lambda _stream, success, _data: answered.append(success))
    pulse.pa_operation_unref(c_void_p(pulse.pa_stream_update_timing_info(stream, done, None)))
    until(lambda: answered)
    microseconds, negative = c_uint64(), c_int()
    assert pulse.pa_stream_get_latency(stream, byref(microseconds), byref(negative)) >= 0
    return (-1 if negative.value else 1) * microseconds.value / 1e6


def fragment(stream: c_void_p) -> np.ndarray[Any, np.dtype[np.float32]]:
    """What was recorded next; empty if there is nothing."""
    data, nbytes = c_void_p(), c_size_t()
    assert pulse.pa_stream_peek(stream, byref(data), byref(nbytes)) >= 0
    samples = np.frombuffer(ctypes.string_at(data, nbytes.value) if data else bytes(nbytes.value), np.float32)
    if nbytes.value:
        pulse.pa_stream_drop(stream)
    return samples


def player(server: str) -> c_void_p:
    """A stream with a buffer of 100 ms."""
    stream = c_void_p(pulse.pa_stream_new(connect(server), b"clicks", byref(FLOAT32LE), None))
    attr = Attr(UNSAID, SECOND // 10, 0, UNSAID, UNSAID)
    assert pulse.pa_stream_connect_playback(stream, None, byref(attr), ADJUST_LATENCY, None, None) >= 0
    return ready("pa_stream", stream)


def ear(server: str, source: str) -> c_void_p:
    """A stream with fragments of 10 ms."""
    stream = c_void_p(pulse.pa_stream_new(connect(server), b"ear", byref(FLOAT32LE), None))
    attr = Attr(UNSAID, UNSAID, UNSAID, UNSAID, SECOND // 100)
    assert pulse.pa_stream_connect_record(stream, source.encode(), byref(attr), ADJUST_LATENCY) >= 0
    return ready("pa_stream", stream)


def write(stream: c_void_p, written: int, said: list[float]) -> int:
    """Write as many frames as are wanted, after `written`; when a click is heard by the reported latency goes to
    `said`. Returns how many there were.
    """
    room = int(pulse.pa_stream_writable_size(stream)) // 4
    samples = np.zeros(room, np.float32)
    click = -written % SPACING or SPACING  # none in the first frame of all: nothing is known of the timing yet
    if click < room:
        samples[click : click + 8] = 0.9
        behind = latency(stream)
        said.append(time.monotonic() + behind + click / RATE)
    if room:
        assert pulse.pa_stream_write(stream, samples.tobytes(), c_size_t(4 * room), None, c_int64(0), 0) >= 0
    return room


def main() -> None:
    plays_to, hears_at, source = sys.argv[1:]
    playing, hearing = player(plays_to), ear(hears_at, source)
    written = 0
    said: list[float] = []
    heard: list[float] = []
    end = time.monotonic() + DEADLINE
    while len(heard) < CLICKS:
        assert time.monotonic() < end, f"heard {len(heard)} of {len(said)} clicks"
        pulse.pa_mainloop_iterate(loop, 0, None)
        written += write(playing, written, said)
        began = time.monotonic() - latency(hearing)
        loud = np.flatnonzero(fragment(hearing) > 0.3)
        if len(loud) and (not heard or began + loud[0] / RATE - heard[-1] > SPACING / RATE / 2):
            heard.append(began + loud[0] / RATE)
        time.sleep(0.001)
    for when, by_report in zip(heard, said, strict=False):
        print(f"{(when - by_report) * 1000:.2f}")


main()
