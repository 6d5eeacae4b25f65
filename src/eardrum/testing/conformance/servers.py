"""The servers that the expectations are held against: each with a sink `output`, its monitor, and a source `input`."""

from __future__ import annotations

from typing import NamedTuple

from eardrum.testing.conformance.client import Talk
from eardrum.testing.conformance.expectation import Kind
from eardrum.testing.servers import Desk, Stage, accepts, wait_until

DEVICES = (
    ("load-module", "module-null-sink", "sink_name=output", "rate=48000"),
    ("load-module", "module-null-source", "source_name=input", "rate=48000", "max_latency_msec=10"),
    ("set-default-sink", "output"),
    ("set-default-source", "input"),
)


class Subject(NamedTuple):
    kind: Kind
    path: str  # of its socket


class PulseAudio(NamedTuple):
    """A PulseAudio that asks for AUTH, as it does by default."""

    subject: Subject
    address: str  # of another socket of it, which does not ask
    pacemaker: Talk  # keeps its sink at cycles of 10 ms; else it may notice an underrun after 2 s


def pulseaudio(stage: Stage) -> PulseAudio:
    """Started on this stage; close the pacemaker before the stage."""
    server = stage.pulseaudio("conformance")
    path = stage.directory / "conformance" / "asking"
    for words in (
        *DEVICES,
        ("unload-module", "0"),  # the sink that the stage brings has a longest latency of 50 ms
        ("load-module", "module-native-protocol-unix", f"socket={path}"),
    ):
        stage.pactl(server.address, *words)
    pacemaker = Talk(str(path)).introduced()
    pacemaker.record(source_name="output.monitor", corked=True, fragsize=1920, adjust_latency=True)
    return PulseAudio(Subject("pulseaudio", str(path)), server.address, pacemaker)


def mixed(desk: Desk) -> Subject:
    """An outlet that mixes by itself."""
    return _outlet("mixed", desk, "null")


def carried(desk: Desk) -> Subject:
    """An outlet whose sound the desk's upstream plays."""
    return _outlet("carried", desk, "host")


def standard(stage: Stage) -> Subject:
    """An `eardrum serve`, with its devices made as those of the PulseAudio are."""
    server = stage.serve("standard")
    for words in DEVICES:
        stage.pactl(server.address, *words)
    return Subject("serve", server.address.removeprefix("unix:"))


def _outlet(kind: Kind, desk: Desk, output: str) -> Subject:
    path = desk.open(kind, output=output, input="silence", streams=256).directory / "native"
    wait_until(lambda: accepts(path), f"{path} to listen")
    return Subject(kind, str(path))
