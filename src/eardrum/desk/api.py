"""The control socket: HTTP/1.1 and JSON, one route after the other.

    GET    /v1/desk            who serves here
    GET    /v1/outlets         what is open
    POST   /v1/outlets         open one; with "held", for as long as this connection lives
    PATCH  /v1/outlets/NAME    have its output or input lead elsewhere
    DELETE /v1/outlets/NAME    close one
    GET    /v1/outlets/NAME/level      the level that the person has set, of what it plays
    POST   /v1/outlets/NAME/level      set it: {"volume": "60%", "mute": "on"}; "+5%", "-6dB"; "off", "toggle"
    GET    /v1/outlets/NAME/in/level   the same of its microphone
    POST   /v1/outlets/NAME/in/level
    GET    /v1/rooms           which rooms there are, and who is wired to them
    POST   /v1/rooms/NAME      keep one until it is closed
    DELETE /v1/rooms/NAME      close one: it is kept no longer

What a worker goes on with, after 101, on the same connection:

    GET    /v1/outlets/NAME/trace       watch it: one JSON object a line; with ?sound=1 sound packets too
    GET    /v1/outlets/NAME/record      record what it plays
    GET    /v1/outlets/NAME/in/record   record what its microphone hears
    GET    /v1/outlets/NAME/in/play     play into its microphone
    GET    /v1/rooms/NAME/record        record a room
    GET    /v1/rooms/NAME/play          play into it

All but the trace speak the native protocol in its newest version, as a client that has said AUTH.

A refusal is `{"error": one line for a person, "status": exit status of the command}`.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import h11
import msgspec
from msgspec.structs import replace

from eardrum import __version__
from eardrum.desk.knobs import Turning
from eardrum.desk.outlet import Outlet, Taken
from eardrum.desk.outlets import Outlets
from eardrum.desk.say import say
from eardrum.desk.wiring import Wiring
from eardrum.desk.workers import Worker
from eardrum.server.events import INPUT, OUTPUT
from eardrum.server.rights import Right
from eardrum.terms.errors import Complaint
from eardrum.terms.names import checked_name
from eardrum.worker.records import Kind, Record

LONGEST_BODY = 64 * 1024  # bytes
LONGEST_HEAD = 16 * 1024  # bytes

Answer = tuple[int, Any]  # HTTP status, and what the body says; 101: a worker, and what it is told with the connection
_PROTOCOLS = {Kind.TRACE: "lines", Kind.ATTACH: "native"}  # what is spoken after 101
_READ = 64 * 1024
_Shape = TypeVar("_Shape")


class Refusal(Exception):
    """A request that is answered with an error and no more."""

    def __init__(self, code: int, line: str, status: int = 1) -> None:
        super().__init__(line)
        self.code = code
        self.status = status


class NewOutlet(Wiring, frozen=True, forbid_unknown_fields=True):
    """The body of POST /v1/outlets."""

    held: bool = False


class Rewiring(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of PATCH /v1/outlets/NAME: the wires that shall have other ends."""

    output: str | None = None
    input: str | None = None


class Caller:
    """One connection to the control socket, and the outlets that it holds open."""

    def __init__(self, outlets: Outlets) -> None:
        self.outlets = outlets
        self.held: list[str] = []

    async def leave(self) -> None:
        """The connection is gone."""
        for name in self.held:
            with suppress(KeyError, Complaint):  # closed by somebody else meanwhile
                await self.outlets.close(name)


async def _desk(caller: Caller, name: str, body: bytes) -> Answer:
    outlets = caller.outlets
    return 200, {
        "version": __version__,
        "pid": os.getpid(),
        "runtime": str(outlets.runtime.path),
        "upstream": outlets.host.address,
    }


async def _list(caller: Caller, name: str, body: bytes) -> Answer:
    return 200, {"outlets": [outlet.as_json() for outlet in caller.outlets]}


def _read(body: bytes, shape: type[_Shape]) -> _Shape:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.DecodeError as error:
        raise Refusal(400, f"the request's body: {error}", 2) from None


async def _open(caller: Caller, name: str, body: bytes) -> Answer:
    asked = _read(body, NewOutlet)
    wiring = Wiring(*(getattr(asked, field) for field in Wiring.__struct_fields__))
    await caller.outlets.check(wiring)
    outlet = caller.outlets.open(wiring, asked.held)
    if asked.held:
        caller.held.append(asked.name)
    return 201, outlet.as_json()


async def _rewire(caller: Caller, name: str, body: bytes) -> Answer:
    asked = _read(body, Rewiring)
    wiring = _named(caller, name).wiring
    new = replace(wiring, output=asked.output or wiring.output, input=asked.input or wiring.input)
    return 200, (await caller.outlets.rewire(new)).as_json()


async def _close(caller: Caller, name: str, body: bytes) -> Answer:
    try:
        await caller.outlets.close(name)
    except KeyError:
        raise Refusal(404, f"outlet {name}: is not open; `eardrum list` shows what is") from None
    return 200, {"configured": caller.outlets.opens_by_itself(name)}


def _named(caller: Caller, name: str) -> Outlet:
    try:
        return caller.outlets.named(name)
    except KeyError:
        raise Refusal(404, f"outlet {name}: is not open; `eardrum list` shows what is") from None


def _levelled(caller: Caller, name: str, wire: int) -> Outlet:
    outlet = _named(caller, name)
    if wire == INPUT:
        outlet.microphone()
    return outlet


async def _level(caller: Caller, name: str, body: bytes, *, wire: int) -> Answer:
    return 200, _levelled(caller, name, wire).knobs.as_json(wire)


async def _set_level(caller: Caller, name: str, body: bytes, *, wire: int) -> Answer:
    outlet = _levelled(caller, name, wire)
    outlet.turn(wire, _read(body, Turning))
    return 200, outlet.knobs.as_json(wire)


async def _trace(caller: Caller, name: str, body: bytes, *, sound: bool = False) -> Answer:
    return 101, (_named(caller, name).worker(), Record(Kind.TRACE, int(sound)))


def _guest(caller: Caller, worker: Worker, right: Right) -> Answer:
    """The owner's own connection to a worker: a view of its own, and this right alone."""
    return 101, (worker, Record(Kind.ATTACH, caller.outlets.number(), right.value))


async def _record(caller: Caller, name: str, body: bytes) -> Answer:
    return _guest(caller, _named(caller, name).worker(), Right.RECORD)


async def _record_input(caller: Caller, name: str, body: bytes) -> Answer:
    outlet = _named(caller, name)
    outlet.microphone()
    return _guest(caller, outlet.worker(), Right.RECORD)


async def _play_input(caller: Caller, name: str, body: bytes) -> Answer:
    outlet = _named(caller, name)
    end = outlet.microphone()
    if end.kind == "room":
        return _in_room(caller, end.argument, Right.PLAY)
    if end.kind == "host":
        raise Complaint(f"outlet {name}: its microphone is the host's; play into one opened with --input silence")
    if outlet.wires[INPUT].carries:
        raise Complaint(f"outlet {name}: programs there came while its microphone was another; end them and try again")
    return _guest(caller, outlet.worker(), Right.PLAY)


def _in_room(caller: Caller, name: str, right: Right) -> Answer:
    try:
        return _guest(caller, caller.outlets.rooms.worker(checked_name(name, "room")), right)
    except OSError as error:
        raise Complaint(f"room {name}: cannot be served now: {error.strerror}") from None


async def _record_room(caller: Caller, name: str, body: bytes) -> Answer:
    return _in_room(caller, name, Right.RECORD)


async def _play_room(caller: Caller, name: str, body: bytes) -> Answer:
    return _in_room(caller, name, Right.PLAY)


async def _rooms(caller: Caller, name: str, body: bytes) -> Answer:
    return 200, {"rooms": caller.outlets.list_rooms()}


async def _keep_room(caller: Caller, name: str, body: bytes) -> Answer:
    caller.outlets.keep_room(name)
    return 200, caller.outlets.room_json(name)


async def _close_room(caller: Caller, name: str, body: bytes) -> Answer:
    try:
        await caller.outlets.close_room(name)
    except KeyError:
        raise Refusal(404, f"room {name}: there is none; `eardrum room` shows which there are") from None
    return 200, caller.outlets.room_json(name)


_LEVEL_OF: dict[int, Any] = {
    wire: {"GET": partial(_level, wire=wire), "POST": partial(_set_level, wire=wire)} for wire in (OUTPUT, INPUT)
}
_ROUTES: tuple[tuple[re.Pattern[str], dict[str, Callable[[Caller, str, bytes], Awaitable[Answer]]]], ...] = (
    (re.compile(r"/v1/desk()"), {"GET": _desk}),
    (re.compile(r"/v1/outlets()"), {"GET": _list, "POST": _open}),
    (re.compile(r"/v1/outlets/([^/?]+)"), {"PATCH": _rewire, "DELETE": _close}),
    (re.compile(r"/v1/outlets/([^/?]+)/level"), _LEVEL_OF[OUTPUT]),
    (re.compile(r"/v1/outlets/([^/?]+)/in/level"), _LEVEL_OF[INPUT]),
    (re.compile(r"/v1/outlets/([^/?]+)/trace"), {"GET": _trace}),
    (re.compile(r"/v1/outlets/([^/?]+)/trace\?sound=1"), {"GET": partial(_trace, sound=True)}),
    (re.compile(r"/v1/outlets/([^/?]+)/record"), {"GET": _record}),
    (re.compile(r"/v1/outlets/([^/?]+)/in/record"), {"GET": _record_input}),
    (re.compile(r"/v1/outlets/([^/?]+)/in/play"), {"GET": _play_input}),
    (re.compile(r"/v1/rooms()"), {"GET": _rooms}),
    (re.compile(r"/v1/rooms/([^/?]+)"), {"POST": _keep_room, "DELETE": _close_room}),
    (re.compile(r"/v1/rooms/([^/?]+)/record"), {"GET": _record_room}),
    (re.compile(r"/v1/rooms/([^/?]+)/play"), {"GET": _play_room}),
)


@asynccontextmanager
async def served(listening: socket.socket, outlets: Outlets) -> AsyncIterator[None]:
    """Answer on the control socket inside the `async with`; takes over the socket.

    What callers hold is closed when they hang up, but not when it is the desk that ends.
    """

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        talks.add(task)
        caller = Caller(outlets)
        try:
            with suppress(ConnectionError, asyncio.CancelledError):
                await _converse(reader, writer, caller)
        finally:
            talks.discard(task)
            writer.close()
            if not ending:
                await caller.leave()

    talks: set[asyncio.Task[None]] = set()
    ending = False
    server = await asyncio.start_server(converse, sock=listening)  # never unlinks, as start_unix_server may
    try:
        yield
    finally:
        ending = True
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, caller: Caller) -> None:
    """Requests and answers until the caller hangs up."""
    http = h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD)
    while True:
        try:
            request, body = await _request(http, reader)
            if request is None:
                return
            answer = await _answer(caller, request, body)
        except Refusal as refusal:
            answer = _refused(refusal.code, refusal, refusal.status)
        except h11.RemoteProtocolError as error:
            answer = _refused(error.error_status_hint, error, 2)
        if answer[0] == 101:
            await _hand_over(http, writer, *answer[1])
            return
        await _send(http, writer, answer)
        if http.our_state is not h11.DONE or http.their_state is not h11.DONE:
            return
        http.start_next_cycle()


async def _request(http: h11.Connection, reader: asyncio.StreamReader) -> tuple[h11.Request | None, bytes]:
    """The next request and its body; None if there will be none. Raises Refusal, h11.RemoteProtocolError."""
    request, body = None, bytearray()
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(_READ))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > LONGEST_BODY:
                raise Refusal(413, f"the request's body is longer than {LONGEST_BODY} bytes")
        elif isinstance(event, h11.EndOfMessage):
            return request, bytes(body)
        else:
            return None, b""


async def _answer(caller: Caller, request: h11.Request, body: bytes) -> Answer:
    path, method = request.target.decode("latin-1"), request.method.decode("latin-1")
    for pattern, methods in _ROUTES:
        if found := pattern.fullmatch(path):
            if method not in methods:
                raise Refusal(405, f"{method} {path}: use {' or '.join(methods)}")
            return await _done(methods[method], caller, found[1], body)
    raise Refusal(404, f"{path}: no such thing; this desk is version {__version__}")


async def _done(
    act: Callable[[Caller, str, bytes], Awaitable[Answer]], caller: Caller, name: str, body: bytes
) -> Answer:
    try:
        return await act(caller, name, body)
    except Complaint as complaint:
        code = 409 if isinstance(complaint, Taken) else 400 if complaint.status == 2 else 422
        return _refused(code, complaint, complaint.status)
    except Refusal:
        raise
    except Exception as bug:
        say(f"a bug: {traceback.format_exc()}")
        return _refused(500, f"a bug in the desk: {bug!r}; its log has more", 70)


def _refused(code: int, line: object, status: int) -> Answer:
    return code, {"error": str(line), "status": status}


async def _hand_over(http: h11.Connection, writer: asyncio.StreamWriter, worker: Worker, record: Record) -> None:
    """Stop speaking HTTP: from now on the worker has the connection. If it has just ended, the connection ends too."""
    headers = [("upgrade", _PROTOCOLS[record.kind]), ("connection", "upgrade")]
    try:
        switch = http.send(h11.InformationalResponse(status_code=101, headers=headers)) or b""
    except h11.LocalProtocolError:
        writer.write(b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: lines, native\r\nContent-Length: 0\r\n\r\n")
        return
    connection = os.dup(writer.get_extra_info("socket").fileno())
    try:
        assert isinstance(writer.transport, asyncio.Transport)
        writer.transport.pause_reading()  # what comes next is for the worker
        writer.write(switch)
        await writer.drain()
        worker.tell(record, (connection,))
    finally:
        os.close(connection)


async def _send(http: h11.Connection, writer: asyncio.StreamWriter, answer: Answer) -> None:
    code, said = answer
    body = msgspec.json.encode(said) + b"\n"
    headers = [("content-type", "application/json"), ("content-length", str(len(body)))]
    for event in (h11.Response(status_code=code, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
        writer.write(http.send(event) or b"")
    await writer.drain()
