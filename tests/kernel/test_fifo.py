"""A FIFO at the end of a wire: nobody waits for anybody, and frames stay whole."""

from __future__ import annotations

import os

import numpy as np
import pytest

from eardrum.kernel.fifo import SPEC, FifoReader, FifoWriter
from eardrum.sound.convert import decode

CUSHION = 1920  # frames


def frames(count: int, first: int = 0) -> np.ndarray:
    """Frames that can be told apart."""
    steps = (np.arange(first, first + count) % 32_768).astype(np.int16)
    return np.column_stack((steps, -steps)).astype(np.float32) / 32_768


def as_bytes(block: np.ndarray) -> bytes:
    return (block * 32_768).astype("<i2").tobytes()


@pytest.fixture
def pipe():
    ours, theirs = os.pipe()
    for end in (ours, theirs):
        os.set_blocking(end, False)
    return ours, theirs


@pytest.fixture
def reading(pipe):
    reader = FifoReader(pipe[0])
    yield reader, pipe[1]
    reader.finish()


def test_an_empty_fifo_gives_nothing(reading):
    assert not len(reading[0].read(960))


def test_what_is_written_is_read_at_the_pace_of_the_reader(reading):
    reader, theirs = reading
    os.write(theirs, as_bytes(frames(8000)))
    assert np.array_equal(reader.read(960), frames(960))
    assert np.array_equal(reader.read(5000), frames(5000, 960))
    assert np.array_equal(reader.read(5000), frames(2040, 5960))
    assert not len(reader.read(960))


def test_no_more_is_taken_than_is_soon_played(reading):
    reader, theirs = reading
    written = os.write(theirs, bytes(1_000_000))  # as much as the kernel takes
    reader.read(960)
    assert os.write(theirs, bytes(1_000_000)) <= (960 + CUSHION) * 4
    assert written == 65_536


def test_a_little_sound_is_kept_for_a_moment_and_then_played(reading):
    reader, theirs = reading
    os.write(theirs, as_bytes(frames(100)))
    blocks = [reader.read(480) for _ in range(5)]
    assert [len(block) for block in blocks] == [0, 0, 0, 0, 100]
    assert np.array_equal(blocks[-1], frames(100))


def test_a_writer_that_is_not_quite_even_is_heard_without_a_gap(reading):
    reader, theirs = reading
    blocks = []
    for tick in range(100):
        late = tick % 7 == 3  # its writing comes with the next
        for part in (tick,) if not late and tick % 7 != 4 else (tick - 1, tick) if tick % 7 == 4 else ():
            os.write(theirs, as_bytes(frames(960, part * 960)))
        blocks.append(reader.read(960))
    sound = np.concatenate(blocks)
    assert np.array_equal(sound, frames(len(sound)))
    assert [len(block) for block in blocks[3:]] == [960] * 97


def test_a_frame_may_come_in_pieces(reading):
    reader, theirs = reading
    data = as_bytes(frames(4000))
    os.write(theirs, data[:10_001])
    first = reader.read(3000)
    os.write(theirs, data[10_001:])
    assert np.array_equal(np.concatenate((first, reader.read(4000), reader.read(4000))), frames(4000))


def test_the_next_writer_begins_with_a_whole_frame(tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = FifoReader(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    for _ in range(2):
        theirs = os.open(path, os.O_WRONLY)
        os.write(theirs, as_bytes(frames(2500))[:-1])
        os.close(theirs)
        assert np.array_equal(reader.read(2500), frames(2499))
        assert not len(reader.read(2500))
    reader.finish()


def test_what_is_written_arrives(pipe):
    writer = FifoWriter(pipe[1])
    writer.write(frames(1000))
    writer.silence(1000)
    writer.finish()
    assert os.read(pipe[0], 100_000) == as_bytes(frames(1000))
    os.close(pipe[0])


def test_what_nobody_reads_in_time_is_lost_in_whole_frames(pipe):
    ours, theirs = pipe
    writer = FifoWriter(theirs)
    os.write(theirs, bytes(2))  # so that the kernel's memory ends within a frame
    for number in range(8):
        writer.write(frames(4000, number * 4000))
    held = os.read(ours, 2**20)[2:]
    assert len(held) % 4 or len(held) == 64_000
    writer.write(frames(800, 32_000 - 800))
    writer.finish()
    sound = decode(held + os.read(ours, 2**20), SPEC)
    os.close(ours)
    steps = np.rint(sound[:, 0] * 32_768)
    assert np.array_equal(sound[:, 1], -sound[:, 0])
    assert (np.diff(steps) != 1).sum() == 1  # one jump, over what was lost
    assert steps[-1] == 31_999


def test_readers_may_come_and_go(tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    both = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    writer = FifoWriter(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
    os.close(both)
    for _ in range(2):
        writer.write(frames(500))  # nobody reads
        ours = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        writer.write(frames(700, 500))
        assert os.read(ours, 2**20) == as_bytes(frames(700, 500))
        os.close(ours)
    writer.finish()
