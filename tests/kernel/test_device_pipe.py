"""The pipe between a worker and the process that has its device: its two ends at the worker."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress

import numpy as np
import pytest

from eardrum.kernel.alsa import device_pipe
from eardrum.kernel.device_pipe import LULL, SPEC, DeviceReader, DeviceWriter

BLOCK = np.linspace(-1, 1, 1920, dtype=np.float32).reshape(-1, 2)


@pytest.fixture
def pipe():
    reader, writer = device_pipe()
    yield reader, writer
    for end in (reader, writer):
        try:
            os.close(end)
        except OSError:  # the test has closed it
            pass


def fill(pipe):
    """How many bytes it takes."""
    held = 0
    with suppress(BlockingIOError):
        while True:
            held += os.write(pipe, b"\x01" * (1 << 16))
    return held


def test_it_blocks_nobody_and_holds_half_a_second(pipe):
    with pytest.raises(BlockingIOError):
        os.read(pipe[0], 1)
    held = fill(pipe[1])
    assert held == fcntl.fcntl(pipe[0], fcntl.F_GETPIPE_SZ)
    assert held >= SPEC.bytes_for(500_000)


def test_what_is_played_goes_through_as_it_is(pipe):
    writer = DeviceWriter(pipe[1])
    writer.write(BLOCK)
    assert os.read(pipe[0], 1 << 20) == BLOCK.tobytes()


def test_a_short_pause_is_told_and_a_long_one_is_not(pipe):
    writer = DeviceWriter(pipe[1])
    writer.silence(100)
    assert os.read(pipe[0], 1 << 20) == bytes(100 * SPEC.frame_bytes)
    writer.silence(round(LULL * SPEC.rate) + 1)
    with pytest.raises(BlockingIOError):
        os.read(pipe[0], 1)


def test_who_begins_to_listen_hears_nothing_that_is_past(pipe):
    reader = DeviceReader(pipe[0])
    fill(pipe[1])
    reader.begin()
    assert not len(reader.read(960))
    for _ in range(4):
        os.write(pipe[1], BLOCK.tobytes())
    assert np.array_equal(reader.read(960), BLOCK)


def test_a_pipe_that_nobody_has_any_more_is_silent(pipe):
    reader = DeviceReader(pipe[0])
    os.close(pipe[1])
    reader.begin()
    assert not len(reader.read(960))
