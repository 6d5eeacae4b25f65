"""Messages to bytes and back. For each message and version one plain function is written here on first use.

The functions are found in tracebacks as `<decode CreatePlaybackStream v35>`. Neighbouring fields of fixed size become
one struct call; questions about versions are answered when the function is written, not when it runs.
"""

from __future__ import annotations

import linecache
import struct
from collections.abc import Callable, Iterator
from typing import Any, cast

from eardrum.protocol.kinds import SPEC_, Counted, Get, Kind, Put, ToEnd
from eardrum.protocol.message import (
    CATALOG,
    EXTENSION,
    EXTENSIONS,
    REPLY,
    ExtensionMessage,
    Field,
    Message,
    Record,
    fields_of,
    once,
)
from eardrum.protocol.packets import CONTROL, DESCRIPTOR_BYTES, control
from eardrum.terms.audio import SampleFormat, SampleSpec
from eardrum.terms.errors import LocalProtocolError, RemoteProtocolError

HEAD_BYTES = 10
_HEAD = struct.Struct(">BIBI")
_FOREIGN_FAULTS = (struct.error, IndexError, ValueError)
_OWN_FAULTS = (struct.error, TypeError, ValueError, AttributeError)


def read_head(data: bytes) -> tuple[int, int]:
    """Code and tag of a control packet. Raises RemoteProtocolError."""
    if len(data) < HEAD_BYTES:
        raise RemoteProtocolError(f"a control packet of {len(data)} bytes")
    code_letter, code, tag_letter, tag = _HEAD.unpack_from(data)
    if code_letter != 76 or tag_letter != 76:
        raise RemoteProtocolError("a control packet without code and tag")
    return code, tag


def read(cls: type[Message], data: bytes, version: int) -> Message:
    """The message of class `cls` in a whole control packet.

    With `read_head` the only door by which foreign bytes come in: every mishap leaves as RemoteProtocolError.
    """
    try:
        message, end = decoder(cls, version)(data, HEAD_BYTES)
    except _FOREIGN_FAULTS as fault:
        raise RemoteProtocolError(f"{cls.__name__}: {fault}") from fault
    if end != len(data):
        raise RemoteProtocolError(f"{len(data) - end} bytes left over after {cls.__name__}")
    return cast(Message, message)


def class_of(code: int, data: bytes, version: int) -> type[Message] | None:
    """How to read a packet with this code that is no reply; None: nobody knows. Raises RemoteProtocolError.

    What is said to or by a module that is called by its name is read as that module reads it.
    """
    if code != EXTENSION:
        return CATALOG.get(code)
    said = cast(ExtensionMessage, read(CATALOG[EXTENSION], data, version))
    known = EXTENSIONS.get(said.name or "")
    if known is None:
        return CATALOG[EXTENSION]
    if said.subcommand not in known:
        raise RemoteProtocolError(f"{said.name} has no subcommand {said.subcommand}")
    return known[said.subcommand]


def decode(data: bytes, version: int, awaited: Callable[[int], type[Message]]) -> tuple[int, Message]:
    """Tag and message of a control packet; `awaited` says which reply a tag asks for. Raises RemoteProtocolError."""
    code, tag = read_head(data)
    cls = awaited(tag) if code == REPLY else class_of(code, data, version)
    if cls is None:
        raise RemoteProtocolError(f"unknown command {code}")
    return tag, read(cls, data, version)


def encode(message: Message, tag: int, version: int) -> bytes:
    """The control packet without its descriptor. Raises LocalProtocolError."""
    return packet(message, tag, version)[DESCRIPTOR_BYTES:]


def packet(message: Message, tag: int, version: int) -> bytes:
    """The control packet, descriptor included. Raises LocalProtocolError."""
    try:
        return packer(type(message), version)(message, tag)
    except _OWN_FAULTS as fault:
        raise LocalProtocolError(f"{type(message).__name__}: {fault}") from fault


@once
def decoder(cls: type[Record], version: int) -> Callable[[bytes, int], tuple[Record, int]]:
    """The function from packet and position to the message or record there and the position after it."""
    env: dict[str, Any] = {"cls": cls, "Bad": RemoteProtocolError, "SampleSpec": SampleSpec}
    body: list[str] = []
    values: list[str] = []
    for i, run in enumerate(_runs(cls, version)):
        first = run[0]
        kind = first.kind
        if isinstance(kind, Kind) and kind.layout:
            body += _read_fixed(i, run, env)
            values += [f"{f.name}={_kind(f).read.format(*_numbers(f))}" for f in run]
            continue
        values.append(f"{first.name}={first.name}_")
        env[f"get{i}"] = _get(kind, version)
        if isinstance(kind, Kind):
            body.append(f"{first.name}_, p = get{i}(b, p)")
            if first.constant is not None:
                body.append(f"if {first.name}_ != {first.constant!r}: raise Bad('expected {first.constant}')")
        else:
            body += _read_list(i, first.name, kind, env)
    body.append(f"return cls({', '.join(values)}), p")
    return cast("Callable[[bytes, int], tuple[Record, int]]", _compiled("decode", "b, p", body, env, cls, version))


def _read_fixed(i: int, run: list[Field], env: dict[str, Any]) -> list[str]:
    layout = struct.Struct(">" + "".join(_kind(f).layout for f in run))
    env[f"read{i}"] = layout.unpack_from
    targets = [number for f in run for number in _numbers(f)]
    wrong = [_kind(f).wrong.format(*_numbers(f)) for f in run]
    wrong += [f"{_kind(f).read.format(*_numbers(f))} != {f.constant!r}" for f in run if f.constant is not None]
    return [
        f"{', '.join(targets)}, = read{i}(b, p); p += {layout.size}",
        f"if {' or '.join(wrong)}: raise Bad('expected {', '.join(f'{f.name}: {_kind(f).name}' for f in run)}')",
    ]


def _read_list(i: int, name: str, kind: Counted | ToEnd, env: dict[str, Any]) -> list[str]:
    item = f"    item, p = get{i}(b, p); {name}_.append(item)"
    if isinstance(kind, ToEnd):
        return [f"{name}_ = []", "while p < len(b):", item]
    count = struct.Struct(">" + kind.count.layout)
    env[f"read{i}"] = count.unpack_from
    return [
        f"letter, n = read{i}(b, p); p += {count.size}; {name}_ = []",
        f"if {kind.count.wrong.format('letter', 'n')}: raise Bad('expected the number of {name}')",
        "for _ in range(n):",
        item,
    ]


@once
def encoder(cls: type[Record], version: int) -> Callable[[Any], bytes]:
    """The function from a message or record to the bytes of its fields."""
    env: dict[str, Any] = {"join": b"".join}
    body = [f"return {_joined(_parts(cls, version, env), env)}"]
    return cast("Callable[[Any], bytes]", _compiled("encode", "m", body, env, cls, version))


@once
def packer(cls: type[Message], version: int) -> Callable[[Message, int], bytes]:
    """The function from a message and its tag to the whole control packet, descriptor included."""
    env: dict[str, Any] = {"join": b"".join, "control": control}
    parts = _parts(cls, version, env, ("BIBI", f"76, {cls.CODE}, 76, tag"))
    layout, args = parts[0]
    if len(parts) == 1:
        size = struct.calcsize(">" + layout)
        body = [f"return {_joined([('IIIII' + layout, f'{size}, {CONTROL}, 0, 0, 0, {args}')], env)}"]
    else:
        body = [f"return control({_joined(parts, env)})"]
    return cast("Callable[[Message, int], bytes]", _compiled("pack", "m, tag", body, env, cls, version))


def _parts(
    cls: type[Record], version: int, env: dict[str, Any], head: tuple[str, str] | None = None
) -> list[tuple[str, str]]:
    """What is written one after the other: struct letters and the numbers for them, or no letters and an expression."""
    parts = [head] if head else []

    def fixed(layout: str, args: str) -> None:
        if parts and parts[-1][0]:
            layout, args = parts[-1][0] + layout, f"{parts[-1][1]}, {args}"
            parts.pop()
        parts.append((layout, args))

    for i, f in enumerate(f for f in fields_of(cls) if f.in_version(version)):
        kind = f.kind
        if isinstance(kind, Kind) and kind.layout:
            fixed(kind.layout, kind.write.format(_value(cls, f, version, env)))
            continue
        env[f"put{i}"] = _put(kind, version)
        if isinstance(kind, Counted):
            fixed(kind.count.layout, kind.count.write.format(f"len(m.{f.name})"))
        parts.append(("", f"put{i}(m.{f.name})" if isinstance(kind, Kind) else f"*map(put{i}, m.{f.name})"))
    return parts


def _joined(parts: list[tuple[str, str]], env: dict[str, Any]) -> str:
    calls = []
    for i, (layout, args) in enumerate(parts):
        if layout:
            env[f"pack{i}"] = struct.Struct(">" + layout).pack
        calls.append(f"pack{i}({args})" if layout else args)
    return calls[0] if len(calls) == 1 and parts[0][0] else f"join(({''.join(call + ', ' for call in calls)}))"


def _value(cls: type[Record], f: Field, version: int, env: dict[str, Any]) -> str:
    if f.kind is SPEC_ and version < 15 and getattr(cls, "SENDER", "") == "server":
        env["known"] = _known_to(version)
        return f"known(m.{f.name})"
    return f"m.{f.name}"


def _known_to(version: int) -> Callable[[SampleSpec], SampleSpec]:
    """To a client that cannot know a format the server speaks of float32 in the same byte order."""
    newest = SampleFormat.FLOAT32BE if version < 12 else SampleFormat.S32BE

    def known(spec: SampleSpec) -> SampleSpec:
        if not newest < spec.format <= SampleFormat.S24_32BE:
            return spec
        little = spec.format % 2  # from S16LE on the odd ones are little-endian
        return spec._replace(format=SampleFormat.FLOAT32LE if little else SampleFormat.FLOAT32BE)

    return known


def _get(kind: Kind | Counted | ToEnd, version: int) -> Get:
    shape = kind if isinstance(kind, Kind) else kind.of
    return cast(Get, shape.get) if isinstance(shape, Kind) else decoder(shape, version)


def _put(kind: Kind | Counted | ToEnd, version: int) -> Put:
    shape = kind if isinstance(kind, Kind) else kind.of
    return cast(Put, shape.put) if isinstance(shape, Kind) else encoder(shape, version)


def _kind(f: Field) -> Kind:
    return cast(Kind, f.kind)


def _numbers(f: Field) -> list[str]:
    """The names of the numbers that struct reads for a field of fixed size."""
    return [f"{f.name}_{i}" for i in range(len(_kind(f).layout))]


def _runs(cls: type[Record], version: int) -> Iterator[list[Field]]:
    """The fields of this version: neighbours of fixed size together, every other alone."""
    run: list[Field] = []
    for f in fields_of(cls):
        if not f.in_version(version):
            continue
        if isinstance(f.kind, Kind) and f.kind.layout:
            run.append(f)
            continue
        if run:
            yield run
        run = []
        yield [f]
    if run:
        yield run


def _compiled(verb: str, args: str, body: list[str], env: dict[str, Any], cls: type, version: int) -> object:
    text = f"def {verb}({args}):\n" + "".join(f"    {line}\n" for line in body)
    file = f"<{verb} {cls.__name__} v{version}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    exec(compile(text, file, "exec"), env)
    return env[verb]
