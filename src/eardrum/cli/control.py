"""The client's end of the control socket: HTTP/1.1 with JSON over a UNIX socket, one request at a time."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import h11
import msgspec

from eardrum.cli.place import Place
from eardrum.kernel.outlet_directory import connect
from eardrum.terms.audio import VOLUME_NORM
from eardrum.terms.errors import Complaint
from eardrum.terms.levels import as_text

_Shape = TypeVar("_Shape")
PATIENCE = 60  # seconds; a recording that is closed has its tail to write


class Wire(msgspec.Struct, frozen=True):
    """What a wire is doing."""

    leads_to: str  # a wire end: what the one that was asked for is on this machine now
    state: str  # idle, waiting, connected, refused, silent, here
    since: float | None = None  # seconds since 1970


class Level(msgspec.Struct, frozen=True):
    """What the person has set of a wire, on PulseAudio's scale."""

    volume: int = VOLUME_NORM
    muted: bool = False

    def as_text(self) -> str:
        """For people."""
        return as_text(self.volume) + (", muted" if self.muted else "")


class Levels(msgspec.Struct, frozen=True):
    """Of an outlet's wires."""

    output: Level = Level()
    input: Level | None = None


class Permissions(msgspec.Struct, frozen=True):
    """Whose an outlet's socket is."""

    owner: str
    group: str
    mode: str  # octal

    def __str__(self) -> str:
        return f"{self.owner}:{self.group} {self.mode}"


class Outlet(msgspec.Struct, frozen=True):
    """An open outlet as the desk tells of it."""

    name: str
    output: str  # wire ends
    input: str | None
    directory: str
    socket: str
    connections: int = 0
    playing: int = 0  # streams
    recording: int = 0
    note: str = ""  # why it cannot play
    permissions: Permissions | None = None  # None: its socket is gone
    configured: bool = False  # every desk opens it by itself, as the configuration has it
    wires: dict[str, Wire | None] = {}  # output and input
    levels: Levels = Levels()
    confinement: list[str] | None = None  # layers that hold; None: it has no worker now


class Room(msgspec.Struct, frozen=True):
    """A room as the desk tells of it."""

    name: str
    kept: bool = False
    players: list[str] = []  # outlets that are wired to play into it
    hearers: list[str] = []
    connections: int = 0
    playing: int = 0  # streams
    recording: int = 0


class Opening(msgspec.Struct, frozen=True):
    """An outlet that is wanted."""

    name: str
    output: str
    input: str | None
    mode: str = "0666"  # of the socket, octal
    group: str | None = None  # of the socket
    modules: bool = False  # programs may load the emulated modules
    hear: bool = False  # the host's monitors may be its microphone
    ceiling: str | None = None  # the highest level of a stream
    gate: bool | None = None  # between its worker and the host's server there is a gate; None: as the desk does it
    budget: dict[str, int | float] = {}  # limits that are other than the desk's
    held: bool = False  # it is closed when the connection that asked for it ends


class NoDesk(Complaint):
    """Nobody serves this runtime directory."""


class NoOutlet(Complaint):
    """No outlet of that name is open."""


class _Fault(msgspec.Struct, frozen=True):
    error: str
    status: int = 1


class _Outlets(msgspec.Struct, frozen=True):
    outlets: list[Outlet]


class _Closed(msgspec.Struct, frozen=True):
    configured: bool


class _Rooms(msgspec.Struct, frozen=True):
    rooms: list[Room]


class Control:
    """A connection to the desk of a runtime directory. Every method raises Complaint."""

    def __init__(self, runtime: Path) -> None:
        """Connects; raises NoDesk if there is no desk."""
        self._runtime = runtime
        self._http = h11.Connection(h11.CLIENT)
        try:
            self._socket = connect(runtime / "control", PATIENCE)
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            raise NoDesk(f"no desk is running in {runtime}; start one with `eardrum up`") from None
        except OSError as error:
            raise Complaint(f"cannot reach the desk in {runtime}: {error.strerror or error}") from None

    def __enter__(self) -> Control:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()

    def outlets(self) -> list[Outlet]:
        """Every open outlet."""
        return self._read(self.outlets_json(), _Outlets).outlets

    def outlets_json(self) -> bytes:
        """The same as the desk says it: `{"outlets": […]}`."""
        return self._ask("GET", "/v1/outlets")

    def named(self, name: str) -> Outlet:
        """The open outlet of this name. Raises NoOutlet if there is none."""
        for outlet in self.outlets():
            if outlet.name == name:
                return outlet
        raise NoOutlet(f"{name}: no such outlet is open; `eardrum list` names those that are")

    def open(self, opening: Opening) -> Outlet:
        """Open an outlet. A held one lives no longer than this object."""
        return self._read(self._ask("POST", "/v1/outlets", msgspec.json.encode(opening)), Outlet)

    def close(self, name: str) -> bool:
        """Close an outlet; returns when its recording is complete. True: the next desk opens it by itself.

        Raises NoOutlet if there is none.
        """
        return self._read(self._ask("DELETE", f"/v1/outlets/{name}"), _Closed).configured

    def rewire(self, name: str, output: str | None, input: str | None) -> Outlet:
        """Have the wires that are named here lead elsewhere. Raises NoOutlet if there is no such outlet."""
        ends = {wire: end for wire, end in (("output", output), ("input", input)) if end is not None}
        return self._read(self._ask("PATCH", f"/v1/outlets/{name}", msgspec.json.encode(ends)), Outlet)

    def level(self, place: Place) -> Level:
        """What the person has set. Raises NoOutlet."""
        return self._read(self._ask("GET", place.target("level")), Level)

    def set_level(self, place: Place, **turning: str) -> Level:
        """Set `volume` (`60%`, `+5%`, `-6dB`) or `mute` (`on`, `off`, `toggle`); what holds then. Raises NoOutlet."""
        return self._read(self._ask("POST", place.target("level"), msgspec.json.encode(turning)), Level)

    def rooms(self) -> list[Room]:
        """Every room, by name."""
        return self._read(self.rooms_json(), _Rooms).rooms

    def rooms_json(self) -> bytes:
        """The same as the desk says it: `{"rooms": […]}`."""
        return self._ask("GET", "/v1/rooms")

    def keep_room(self, name: str) -> Room:
        """Have this room until it is closed."""
        return self._read(self._ask("POST", f"/v1/rooms/{name}"), Room)

    def close_room(self, name: str) -> Room:
        """Keep a room no longer; what is left of it."""
        return self._read(self._ask("DELETE", f"/v1/rooms/{name}"), Room)

    def native(self, target: str) -> socket.socket:
        """The connection, blocking, on which a worker speaks the native protocol from now on.

        It is closed with this object, which can do nothing else afterwards. Raises NoOutlet.
        """
        self._ask("GET", target, more=[("upgrade", "native"), ("connection", "upgrade")])
        self._socket.settimeout(None)
        return self._socket

    def trace(self, name: str, sound: bool) -> Iterator[bytes]:
        """What an outlet and its programs say to each other, one JSON object a line, until its worker ends.

        With `sound`, sound packets too. This object can do nothing else afterwards. Raises NoOutlet.
        """
        target = f"/v1/outlets/{name}/trace{'?sound=1' if sound else ''}"
        self._ask("GET", target, more=[("upgrade", "lines"), ("connection", "upgrade")])
        self._socket.settimeout(None)
        heard, _ = self._http.trailing_data
        while True:
            *lines, heard = heard.split(b"\n")
            yield from lines
            more = self._socket.recv(65536)
            if not more:
                return
            heard += more

    def _ask(self, method: str, target: str, body: bytes = b"", more: Sequence[tuple[str, str]] = ()) -> bytes:
        headers = [("host", "eardrum"), ("content-type", "application/json"), ("content-length", str(len(body))), *more]
        try:
            self._say(h11.Request(method=method, target=target, headers=headers))
            self._say(h11.Data(data=body))
            self._say(h11.EndOfMessage())
            status, answer = self._answer()
        except TimeoutError:
            raise Complaint(f"the desk in {self._runtime} does not answer") from None
        except (OSError, h11.ProtocolError) as error:
            raise Complaint(f"lost the desk in {self._runtime}: {error}") from None
        if status >= 400:
            fault = self._read(answer, _Fault)
            raise (NoOutlet if status == 404 else Complaint)(fault.error, fault.status)
        return answer

    def _say(self, event: h11.Event) -> None:
        self._socket.sendall(self._http.send(event) or b"")

    def _answer(self) -> tuple[int, bytes]:
        status, body = 0, b""
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(self._socket.recv(65536))
            elif isinstance(event, h11.InformationalResponse) and event.status_code == 101:
                return event.status_code, body
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                if self._http.our_state is h11.DONE:
                    self._http.start_next_cycle()
                return status, body

    def _read(self, answer: bytes, shape: type[_Shape]) -> _Shape:
        try:
            return msgspec.json.decode(answer, type=shape)
        except msgspec.DecodeError as error:
            raise Complaint(f"the desk in {self._runtime} said nonsense: {error}") from None
