"""What the spy tries with the socket it was given, in words that pactl and parec document."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import NamedTuple

import numpy as np
from containers import Containers

from eardrum.testing.servers import Stage, end, wait_until

ENOUGH = 48_000  # bytes of sound that tell whether there is anything to hear


class Seen(NamedTuple):
    """What came of an attempt, in words, and whether the spy got what it wanted."""

    text: str
    through: bool


class Spy:
    """A container that holds nothing but the socket in `directory`."""

    def __init__(self, stage: Stage, containers: Containers, directory: Path) -> None:
        self.stage = stage
        self.containers = containers
        self.directory = directory

    def pactl(self, *words: str) -> CompletedProcess[str]:
        """Run pactl in the container."""
        return self.stage.run(self.containers.command("pactl", *words, outlet=self.directory))

    def ask(self, *words: str) -> str:
        """What pactl prints in the container; to look around has to work on any socket."""
        done = self.pactl(*words)
        if done.returncode:
            raise RuntimeError(f"pactl {' '.join(words)} failed in the container of spy: {done.stderr.strip()}")
        return done.stdout

    def hear(self, *options: str) -> Seen:
        """Run parec in the container until it has heard something, or ends."""
        name = f"parec-{len(self.stage.processes)}"
        path = self.stage.directory / f"{name}.raw"
        argv = self.containers.command("parec", "--latency-msec=50", *options, outlet=self.directory)
        with path.open("wb") as sound:
            parec = self.stage.start(name, argv, stdout=sound)
        wait_until(lambda: parec.poll() is not None or path.stat().st_size > ENOUGH, "parec to record or be refused")
        end(parec)
        heard = np.fromfile(path, "<i2")
        if not len(heard):
            return refused(self.stage.log(name))
        return Seen("hears the tune", True) if heard.any() else Seen("hears itself: silence", False)


def refused(said: str) -> Seen:
    """A refusal, in the program's own words."""
    words = said.strip().splitlines()[-1:] or ["without a word"]
    return Seen("refused: " + words[0].rpartition(": ")[2], False)


def record_default(spy: Spy) -> Seen:
    return spy.hear()


def record_monitor(spy: Spy) -> Seen:
    return spy.hear("--device=@DEFAULT_MONITOR@")


def list_clients(spy: Spy) -> Seen:
    programs = [line.split("\t")[2] for line in spy.ask("list", "short", "clients").splitlines()]
    others = [program for program in programs if program != "pactl"]
    return Seen("sees " + ", ".join(others), True) if others else Seen("sees itself alone", False)


def list_streams(spy: Spy) -> Seen:
    titles = re.findall(r'media\.name = "(.*)"', spy.ask("list", "sink-inputs"))
    return Seen("sees " + ", ".join(titles), True) if titles else Seen("sees none", False)


def read_host_name(spy: Spy) -> Seen:
    name = spy.ask("info").partition("Host Name: ")[2].partition("\n")[0]
    return Seen(f"reads {name!r}", name == platform.node())


def load_module(spy: Spy) -> Seen:
    done = spy.pactl("load-module", "module-null-sink")
    return refused(done.stderr) if done.returncode else Seen("loads it", True)


def silence_another(spy: Spy) -> Seen:
    listed = [line.split("\t")[0] for line in spy.ask("list", "short", "sink-inputs").splitlines()]
    done = [spy.pactl("set-sink-input-mute", index, "1") for index in listed or ("0", "1", "2")]
    if all(one.returncode for one in done):
        return refused(done[0].stderr)
    return Seen("mutes melody", True)


def stop_server(spy: Spy) -> Seen:
    done = spy.pactl("exit")
    if done.returncode:
        return refused(done.stderr)
    wait_until(lambda: spy.pactl("info").returncode, "the sound server to end")
    return Seen("silence for everybody", True)


# in this order: what needs the tune to be heard comes first, what ends it last
ATTEMPTS: tuple[tuple[str, Callable[[Spy], Seen]], ...] = (
    ("record the default source", record_default),
    ("record the monitor of the sink", record_monitor),
    ("list the other clients", list_clients),
    ("list what they play", list_streams),
    ("read the machine's name", read_host_name),
    ("load a module", load_module),
    ("silence another program", silence_another),
    ("end the sound server", stop_server),
)


def attempts(stage: Stage, containers: Containers, directory: Path) -> list[Seen]:
    """Try everything with the socket in `directory`."""
    spy = Spy(stage, containers, directory)
    return [attempt(spy) for _, attempt in ATTEMPTS]
