"""How one value looks on the wire. A kind knows bytes; it knows no message.

Every value begins with its letter, a byte that says what follows. Numbers are big-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from eardrum.terms import audio
from eardrum.terms.audio import INVALID, MAX_CHANNELS, SampleSpec
from eardrum.terms.errors import LocalProtocolError, RemoteProtocolError

if TYPE_CHECKING:
    from eardrum.protocol.message import Record

MAX_PROPERTY = 65_536  # bytes of one property's value
COOKIE_BYTES = 256

Get = Callable[[bytes, int], tuple[Any, int]]  # packet, position -> value, position after it
Put = Callable[[Any], bytes]


class FormatInfo(NamedTuple):
    """A format that a stream may have or a device takes. `encoding` 1 is PCM; the values of `proplist` are JSON."""

    encoding: int
    proplist: dict[str, bytes]


@dataclass(frozen=True, eq=False)
class Kind:
    """One shape of value.

    With a `layout` (struct letters, the letter's byte first) the size never varies, and neighbouring fields are read
    by one struct call. The three templates say how its numbers {0} {1} … become the value and back: `wrong` is true
    for a wrong letter, `read` makes the value, `write` lists the numbers of the value {0}.
    Without a layout `get` and `put` do the work.
    """

    name: str
    layout: str = ""
    wrong: str = ""
    read: str = "{1}"
    write: str = ""
    get: Get | None = None
    put: Put | None = None


@dataclass(frozen=True)
class Ref:
    """Marks a number or a name that points at an object of the server or at a stream of the connection.

    `to` is sink, source, client, module, sink_input, source_output, sample, card, playback_stream, record_stream or
    upload_stream; `event`: the facility in the field `event` says which.
    """

    to: str


@dataclass(frozen=True, eq=False)
class Counted:
    """A list whose length is sent first, as `count` (U8_ or U32_)."""

    of: Kind | type[Record]
    count: Kind


@dataclass(frozen=True, eq=False)
class ToEnd:
    """A list that goes on to the end of the packet."""

    of: Kind | type[Record]


def _number(name: str, letter: str, code: str) -> Kind:
    tag = ord(letter)
    return Kind(name, "B" + code, f"{{0}} != {tag}", write=f"{tag}, {{0}}")


_LEVELS = [struct.Struct(f">{n}I") for n in range(MAX_CHANNELS + 1)]
_PROPERTY = struct.Struct(">BIBI")
_COOKIE_HEAD = struct.Struct(">BI").pack(0x78, COOKIE_BYTES)


def _get_string(b: bytes, p: int) -> tuple[str | None, int]:
    if b[p] == 0x74:
        end = b.index(0, p + 1)
        return b[p + 1 : end].decode("utf-8", "surrogateescape"), end + 1
    if b[p] == 0x4E:
        return None, p + 1
    raise RemoteProtocolError("expected a string")


def _put_string(text: str | None) -> bytes:
    if text is None:
        return b"N"
    if "\0" in text:
        raise LocalProtocolError(f"a string with a null byte: {text!r}")
    return b"t" + text.encode("utf-8", "surrogateescape") + b"\0"


def _get_strings(b: bytes, p: int) -> tuple[list[str], int]:
    found: list[str] = []
    while True:
        text, p = _get_string(b, p)
        if text is None:
            return found, p
        found.append(text)


def _put_strings(texts: list[str]) -> bytes:
    if None in texts:
        raise LocalProtocolError("a null string ends the list; it cannot be in it")
    return b"".join((*map(_put_string, texts), b"N"))


def _get_channel_map(b: bytes, p: int) -> tuple[bytes, int]:
    n = b[p + 1]
    end = p + 2 + n
    if b[p] != 0x6D or n > MAX_CHANNELS or end > len(b):
        raise RemoteProtocolError("expected a channel map")
    return b[p + 2 : end], end


def _put_channel_map(channel_map: bytes) -> bytes:
    if len(channel_map) > MAX_CHANNELS:
        raise LocalProtocolError(f"a channel map of {len(channel_map)} channels")
    return b"m" + bytes((len(channel_map),)) + channel_map


def _get_volume(b: bytes, p: int) -> tuple[tuple[int, ...], int]:
    n = b[p + 1]
    if b[p] != 0x76 or n > MAX_CHANNELS:
        raise RemoteProtocolError("expected a volume")
    return _LEVELS[n].unpack_from(b, p + 2), p + 2 + 4 * n


def _put_volume(volume: tuple[int, ...]) -> bytes:
    n = len(volume)
    if n > MAX_CHANNELS:
        raise LocalProtocolError(f"a volume of {n} channels")
    return b"v" + bytes((n,)) + _LEVELS[n].pack(*volume)


def _get_proplist(b: bytes, p: int) -> tuple[dict[str, bytes], int]:
    if b[p] != 0x50:
        raise RemoteProtocolError("expected a proplist")
    p += 1
    found: dict[str, bytes] = {}
    while b[p] == 0x74:
        end = b.index(0, p + 1)
        key = b[p + 1 : end].decode("ascii")
        length_letter, length, letter, same = _PROPERTY.unpack_from(b, end + 1)
        if not key or length_letter != 0x4C or letter != 0x78 or length != same or length > MAX_PROPERTY:
            raise RemoteProtocolError("bad property")
        start = end + 11
        p = start + length
        found[key] = b[start:p]
    if b[p] != 0x4E:
        raise RemoteProtocolError("proplist not ended")
    return found, p + 1


def _put_proplist(proplist: dict[str, bytes]) -> bytes:
    out = [b"P"]
    for key, value in proplist.items():
        n = len(value)
        if not key or "\0" in key or n > MAX_PROPERTY:
            raise LocalProtocolError(f"bad property {key!r} of {n} bytes")
        out += (b"t", key.encode("ascii"), b"\0", _PROPERTY.pack(0x4C, n, 0x78, n), value)
    out.append(b"N")
    return b"".join(out)


def _get_format(b: bytes, p: int) -> tuple[FormatInfo, int]:
    if b[p] != 0x66 or b[p + 1] != 0x42:
        raise RemoteProtocolError("expected a format")
    proplist, end = _get_proplist(b, p + 3)
    return FormatInfo(b[p + 2], proplist), end


def _put_format(info: FormatInfo) -> bytes:
    return b"fB" + bytes((info.encoding,)) + _put_proplist(info.proplist)


def _get_cookie(b: bytes, p: int) -> tuple[bytes, int]:
    start = p + len(_COOKIE_HEAD)
    end = start + COOKIE_BYTES
    if b[p:start] != _COOKIE_HEAD or end > len(b):
        raise RemoteProtocolError("expected a cookie of 256 bytes")
    return b[start:end], end


def _put_cookie(cookie: bytes) -> bytes:
    if len(cookie) != COOKIE_BYTES:
        raise LocalProtocolError(f"a cookie of {len(cookie)} bytes")
    return _COOKIE_HEAD + cookie


def _get_tail(b: bytes, p: int) -> tuple[bytes, int]:
    return b[p:], len(b)


U8_ = _number("u8", "B", "B")
U32_ = _number("u32", "L", "I")
U64_ = _number("u64", "R", "Q")
S64_ = _number("s64", "r", "q")
USEC_ = _number("usec", "U", "Q")
LEVEL_ = _number("volume", "V", "I")
VERSION_ = _number("version word", "L", "I")
ERROR_ = _number("error code", "L", "I")
MASK_ = _number("mask of facilities", "L", "I")
EVENT_ = _number("facility and change", "L", "I")
INDEX_ = Kind(
    "index", "BI", "{0} != 76", f"None if {{1}} == {INVALID} else {{1}}", f"76, {INVALID} if {{0}} is None else {{0}}"
)
BOOL_ = Kind("bool", "B", "{0} | 1 != 49", "{0} == 49", "49 if {0} else 48")
TIME_ = Kind("timeval", "BII", "{0} != 84", "({1}, {2})", "84, *{0}")
SPEC_ = Kind("sample spec", "BBBI", "{0} != 97", "SampleSpec({1}, {2}, {3})", "97, *{0}")
STRING_ = Kind("string", get=_get_string, put=_put_string)
STRINGS_ = Kind("strings to a null string", get=_get_strings, put=_put_strings)
MAP_ = Kind("channel map", get=_get_channel_map, put=_put_channel_map)
VOLUME_ = Kind("cvolume", get=_get_volume, put=_put_volume)
PROPLIST_ = Kind("proplist", get=_get_proplist, put=_put_proplist)
FORMAT_ = Kind("format", get=_get_format, put=_put_format)
COOKIE_ = Kind("cookie", get=_get_cookie, put=_put_cookie)
TAIL_ = Kind("bytes to the end", get=_get_tail, put=bytes)

# What fields are declared as.
U8 = Annotated[int, U8_]
U32 = Annotated[int, U32_]
U64 = Annotated[int, U64_]
S64 = Annotated[int, S64_]
Usec = Annotated[int, USEC_]  # µs
VersionWord = Annotated[int, VERSION_]  # a version of the protocol in the lower half, flags in the upper
ErrorCode = Annotated[int, ERROR_]  # a PulseError, or what newer servers have
Level = Annotated[int, LEVEL_]  # one volume, VOLUME_NORM is 100 %
Bool = Annotated[bool, BOOL_]
Time = Annotated[tuple[int, int], TIME_]  # seconds, microseconds
Spec = Annotated[SampleSpec, SPEC_]
Str = Annotated[str | None, STRING_]  # None is the null string; text that is no UTF-8 keeps its bytes as surrogates
Strings = Annotated[list[str], STRINGS_]
ChannelMap = Annotated[audio.ChannelMap, MAP_]
Volume = Annotated[audio.Volume, VOLUME_]
Proplist = Annotated[dict[str, bytes], PROPLIST_]
Format = Annotated[FormatInfo, FORMAT_]
Formats = Annotated[list[FormatInfo], Counted(FORMAT_, U8_)]
Cookie = Annotated[bytes, COOKIE_]
Tail = Annotated[bytes, TAIL_]

# Which object is meant; None where the number may say "none".
SinkIndex = Annotated[int | None, INDEX_, Ref("sink")]
SourceIndex = Annotated[int | None, INDEX_, Ref("source")]
ClientIndex = Annotated[int | None, INDEX_, Ref("client")]
ModuleIndex = Annotated[int | None, INDEX_, Ref("module")]
SinkInputIndex = Annotated[int | None, INDEX_, Ref("sink_input")]
SourceOutputIndex = Annotated[int | None, INDEX_, Ref("source_output")]
SampleIndex = Annotated[int | None, INDEX_, Ref("sample")]
CardIndex = Annotated[int | None, INDEX_, Ref("card")]
SinkName = Annotated[str | None, STRING_, Ref("sink")]
SourceName = Annotated[str | None, STRING_, Ref("source")]
ModuleName = Annotated[str | None, STRING_, Ref("module")]
SampleName = Annotated[str | None, STRING_, Ref("sample")]
CardName = Annotated[str | None, STRING_, Ref("card")]

# The object that a reply describes or has just made: never none.
ThisSink = Annotated[int, U32_, Ref("sink")]
ThisSource = Annotated[int, U32_, Ref("source")]
ThisClient = Annotated[int, U32_, Ref("client")]
ThisModule = Annotated[int, U32_, Ref("module")]
ThisSinkInput = Annotated[int, U32_, Ref("sink_input")]
ThisSourceOutput = Annotated[int, U32_, Ref("source_output")]
ThisSample = Annotated[int, U32_, Ref("sample")]
ThisCard = Annotated[int, U32_, Ref("card")]

# A stream's number on its connection.
PlaybackChannel = Annotated[int, U32_, Ref("playback_stream")]
RecordChannel = Annotated[int, U32_, Ref("record_stream")]
UploadChannel = Annotated[int, U32_, Ref("upload_stream")]
