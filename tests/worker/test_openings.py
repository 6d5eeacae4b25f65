"""The sockets of a standard server: those from the start, and those that its modules want."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eardrum.kernel.server_socket import ServerSocket
from eardrum.server.admission import NOBODY_ELSE, Door
from eardrum.server.effects import Listen, StopListening
from eardrum.server.events import Opened
from eardrum.server.mixed import Buses
from eardrum.worker.openings import Openings, Places, Served

OURS, THEIRS = Door(1000), Door(1000, anonymous=True)


class Watched:
    """A loop that only remembers what is watched."""

    def __init__(self) -> None:
        self.heard: dict[int, Callable[[int], None]] = {}

    def watch(self, descriptor: int, events: int, hear: Callable[[int], None]) -> None:
        self.heard[descriptor] = hear

    def forget(self, descriptor: int) -> None:
        del self.heard[descriptor]


class Stage:
    """Openings of a server that began with the socket `first`, and what they told."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.loop = Watched()
        self.told: list[object] = []
        served = [Served(ServerSocket(place / "first"), OURS)]
        self.openings = Openings(
            self.loop, Buses([], ()), lambda listening, door: self.told.append((listening.getsockname(), door)),
            self.told.append, Places(served, self._make),
        )  # fmt: skip

    def _make(self, effect: Listen) -> Served:
        return Served(ServerSocket(Path(effect.path)), THEIRS)

    def somebody_connects(self) -> None:
        for hear in self.loop.heard.values():
            hear(1)

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.place.iterdir())


@pytest.fixture
def stage() -> Iterator[Stage]:
    place = Path(tempfile.mkdtemp(prefix="eardrum-"))
    stage = Stage(place)
    yield stage
    stage.openings.close()
    assert stage.files == []
    shutil.rmtree(place)


def test_who_connects_is_judged_by_the_rules_of_that_socket(stage):
    stage.openings.listen(Listen(1, 0, str(stage.place / "second"), NOBODY_ELSE))
    assert stage.told == [Opened(1)]
    stage.told.clear()
    stage.somebody_connects()
    # a socket is named as it was bound, before it got its place
    assert [(Path(name).name, door) for name, door in stage.told] == [(".first.new", OURS), (".second.new", THEIRS)]


def test_a_modules_socket_goes_with_it_and_the_first_stays(stage):
    stage.openings.listen(Listen(1, 0, str(stage.place / "second"), NOBODY_ELSE))
    assert stage.files == ["first", "second"]
    stage.openings.stop_listening(StopListening(0))
    assert stage.files == ["first"]
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(stage.place / "first"))


def test_what_cannot_be_made_is_told(stage):
    stage.openings.listen(Listen(7, 0, str(stage.place / "first"), NOBODY_ELSE))
    (opened,) = stage.told
    assert opened.token == 7
    assert "a server is running there already" in opened.why


def test_both_are_gone_at_the_end(stage):
    stage.openings.listen(Listen(1, 0, str(stage.place / "second"), NOBODY_ELSE))
    stage.openings.close()
    assert stage.files == []
    assert stage.loop.heard == {}
