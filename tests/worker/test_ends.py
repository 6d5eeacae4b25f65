"""Files and FIFOs at the ends of a worker's wires, and what their owner is told."""

from __future__ import annotations

import os

import numpy as np
import pytest

from eardrum.server.effects import WriteFile
from eardrum.server.events import INPUT, OUTPUT
from eardrum.terms.names import input_end, output_end
from eardrum.worker import ends
from eardrum.worker.ends import Input, Output, open_ends
from eardrum.worker.records import Kind, Record

BLOCK = np.zeros((480, 2), np.float32)


class Owner:
    def __init__(self) -> None:
        self.told: list[Record] = []

    def tell(self, record: Record) -> None:
        self.told.append(record)


class Writer:
    """Fails after so many blocks, and has so many pieces of silence to encode."""

    def __init__(self, good: int, late: int = 0) -> None:
        self.good, self.late, self.finished = good, late, False

    @property
    def behind(self) -> bool:
        return self.late > 0

    def silence(self, frames: int) -> None:
        pass

    def write(self, block: np.ndarray) -> None:
        self.good -= 1
        if self.good < 0:
            raise OSError("full")

    def catch_up(self) -> None:
        self.late = max(0, self.late - 1)

    def finish(self) -> None:
        self.finished = True


def test_a_file_that_fails_is_finished_and_told_once():
    owner, writer = Owner(), Writer(good=1)
    output = Output(writer, owner)
    assert output.writes
    for _ in range(3):
        output.write(WriteFile(0, 0, BLOCK))
    assert owner.told == [Record(Kind.FILE_FAILED, OUTPUT)]
    assert writer.finished
    assert not output.writes


def test_what_is_late_is_encoded_before_the_end_and_the_owner_asked_to_wait(monkeypatch):
    monkeypatch.setattr(ends, "_TELL_EVERY", -1.0)
    owner, writer = Owner(), Writer(good=1, late=3)
    output = Output(writer, owner)
    output.catch_up()
    assert output.behind
    output.finish()
    assert writer.finished
    assert owner.told == [Record(Kind.STILL_WRITING)] * 2


def test_no_file_no_trouble():
    output = Output(None, Owner())
    output.write(WriteFile(0, 0, BLOCK))
    output.catch_up()
    output.finish()
    assert not output.writes
    assert not output.behind


def test_a_file_that_cannot_be_played_is_silence_and_told_once(tmp_path):
    path = tmp_path / "a.wav"
    path.write_text("no sound")
    owner = Owner()
    reader = open_ends(output_end("null"), input_end(f"file:{path}"), [os.open(path, os.O_RDONLY)]).reader
    input = Input(reader, owner)
    for _ in range(2):
        input.begin()
        assert not len(input.read(480))
    assert owner.told == [Record(Kind.FILE_FAILED, INPUT)]


@pytest.mark.parametrize(("output", "steady"), [("fifo:/x", True), ("null", False), ("file:/x.wav", False)])
def test_only_a_fifo_is_written_without_a_pause(tmp_path, output, steady):
    end = output_end(output)
    files = [os.open(tmp_path / "x", os.O_RDWR | os.O_CREAT)] if end.has_path else []
    opened = open_ends(end, None, files)
    assert opened.steady is steady
    if opened.writer:
        opened.writer.finish()
