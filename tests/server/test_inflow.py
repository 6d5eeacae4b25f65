"""What a worker plays into a microphone from a file or FIFO, and what a steady bus writes."""

from __future__ import annotations

import numpy as np

from eardrum.protocol.catalog import DeleteRecordStream
from eardrum.server.core import Server
from eardrum.server.effects import WriteFile
from eardrum.server.events import OUTPUT, Woke
from eardrum.server.views import outlet_view
from eardrum.terms.names import WireEnd
from eardrum.testing.stage import Stage


class Counting:
    """Gives numbered frames, `length` of them, from the first at each beginning."""

    def __init__(self, length: int = 10**9) -> None:
        self.length, self.at, self.begun = length, 0, 0

    def begin(self) -> None:
        self.begun += 1
        self.at = 0

    def read(self, frames: int) -> np.ndarray:
        steps = np.arange(self.at, min(self.at + frames, self.length), dtype=np.float32) / 32_768
        self.at += len(steps)
        return np.column_stack((steps, steps))


def stage(inflow: Counting) -> Stage:
    server = Server(outlet_view("box", WireEnd("null"), WireEnd("file", "/x")))
    server.buses.input.inflow = inflow
    return Stage(server)


def test_it_runs_only_while_somebody_records_and_begins_anew_each_time():
    inflow = Counting()
    scene = stage(inflow)
    program = scene.join()
    scene.passes(1.0)
    assert not inflow.begun
    for times in (1, 2):
        stream = program.record(fragsize=1920)
        scene.passes(0.5)
        program.ask(DeleteRecordStream(channel=stream.channel))
        scene.passes(1.0)
        assert (inflow.begun, inflow.at) == (times, 24_000)
        heard = np.rint(program.heard(stream.channel)[:, 0] * 32_768)
        assert np.array_equal(heard, np.arange(len(heard)))


def test_after_its_end_comes_silence_and_it_does_not_begin_for_a_second_listener():
    inflow = Counting(10_000)
    scene = stage(inflow)
    program = scene.join()
    stream = program.record(fragsize=1920)
    scene.passes(0.5)
    program.record(fragsize=1920)
    scene.passes(0.5)
    heard = program.heard(stream.channel)[:, 0]
    assert len(heard) > 40_000
    assert heard[9_999] > 0.3
    assert not heard[10_000:].any()
    assert inflow.begun == 1


def test_a_steady_bus_writes_all_of_its_time():
    server = Server(outlet_view("box", WireEnd("fifo", "/x"), None), writes_file=(OUTPUT,))
    server.buses.output.steady = True
    server.handle(Woke(0.0, 0.0))
    server.buses.output.advance(0.0)
    written = 0
    for tenth in range(1, 21):
        now = tenth / 10
        written += sum(len(effect.block) for effect in server.handle(Woke(now, now)) if isinstance(effect, WriteFile))
        assert server.buses.output.due is not None
    assert written >= 2 * 48_000 - 12_000
