"""Random messages, made from the declarations and much faster than by hypothesis: a few microseconds a field."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any, TypeVar

from eardrum.protocol import kinds
from eardrum.protocol.catalog import CreatePlaybackStream, LoadModule
from eardrum.protocol.kinds import Counted, FormatInfo, Kind, ToEnd
from eardrum.protocol.message import Record, fields_of
from eardrum.terms.audio import (
    FORMAT_NAMES,
    INVALID,
    MAX_CHANNELS,
    MAX_RATE,
    STEREO,
    VOLUME_NORM,
    SampleFormat,
    SampleSpec,
)

R = TypeVar("R", bound=Record)

VERSIONS = (8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 26, 27, 28, 29, 30, 31, 34, 35)
NUMBERS = (0, 0, 0, 1, 1, 2, 3, 4, 255, 256, 4095, 4096, 65_536, 2**22, 2**31 - 1, 2**31, 2**32 - 2, INVALID)
LARGE = (0, 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1)
NAMES = (
    None, "", "0", "1", "7", "output", "output.monitor", "input", "@DEFAULT_SINK@", "@DEFAULT_SOURCE@",
    "@DEFAULT_MONITOR@", "nowhere", "no name\n", "x" * 129, "no \udcff utf-8",
)  # fmt: skip
MODULES = (
    "module-null-sink", "module-null-source", "module-remap-sink", "module-remap-source", "module-virtual-sink",
    "module-loopback", "module-combine-sink", "module-always-sink", "module-pipe-sink", "module-nothing", "", None,
)  # fmt: skip
ARGUMENTS = (
    None, "", "sink_name=output", "sink_name=a rate=44100", "source_name=b channels=1", "master=output",
    "master=output.monitor", "master=null.monitor channel_map=mono master_channel_map=left", "slaves=output,null",
    "source=null.monitor sink=output", "source=output.monitor sink=null latency_msec=1", "sink=output latency_msec=20",
    "sink_properties=device.description='a b'", "sink_name=\"open", "rate=1", "channels=6", "k=v",
)  # fmt: skip
KEYS = (
    "application.name", "application.process.id", "media.name", "media.role", "event.id", "filter.want",
    "module-stream-restore.id", "node.target", "k" * 300,
)  # fmt: skip
FORMAT_KEYS = ("format.sample_format", "format.rate", "format.channels", "format.channel_map")
FORMAT_VALUES: tuple[object, ...] = (
    *FORMAT_NAMES, 44_100, 48_000, 0, -1, 10**30, 1.5, 1, 2, 32, 33, "front-left,front-right", "mono", "nowhere", None,
    True, [44_100, 48_000], {"min": 1, "max": 5}, float("nan"),
)  # fmt: skip
RATES = (
    1, 8_000, 11_025, 44_100, 44_100, 44_101, 47_999, 48_000, 48_000, 96_000, 191_999, 192_000,
    MAX_RATE, MAX_RATE + 1, 0, INVALID,
)  # fmt: skip


class Words:
    """What a program, or a server, may come to say. `random` decides."""

    def __init__(self, random: Random) -> None:
        self.random = random
        pick = random.choice
        self._by_kind: dict[Kind, Callable[[], Any]] = {
            kinds.U8_: lambda: random.randrange(256),
            kinds.U32_: self.number,
            kinds.VERSION_: lambda: pick(VERSIONS) | pick((0, 0, 0, 0xC0000000)),
            kinds.ERROR_: lambda: random.randrange(1, 30),
            kinds.MASK_: lambda: random.randrange(0x400),
            kinds.EVENT_: lambda: random.randrange(0x40),
            kinds.U64_: lambda: pick(LARGE),
            kinds.S64_: lambda: pick(LARGE) - 2**63,
            kinds.USEC_: lambda: pick(LARGE),
            kinds.LEVEL_: self.level,
            kinds.INDEX_: lambda: pick((None, None, 0, 0, 1, 2, 3, 1000)),
            kinds.BOOL_: lambda: random.random() < 0.3,
            kinds.TIME_: lambda: (pick(NUMBERS), pick(NUMBERS)),
            kinds.STRING_: lambda: pick(NAMES),
            kinds.STRINGS_: lambda: random.sample(KEYS, random.randrange(4)),
            kinds.MAP_: lambda: random.randbytes(random.randrange(MAX_CHANNELS + 1)),
            kinds.VOLUME_: lambda: tuple(self.level() for _ in range(random.randrange(MAX_CHANNELS + 1))),
            kinds.PROPLIST_: self.proplist,
            kinds.FORMAT_: self.format,
            kinds.COOKIE_: lambda: random.randbytes(kinds.COOKIE_BYTES),
            kinds.TAIL_: lambda: random.randbytes(random.randrange(20)),
        }

    def message(self, cls: type[R], version: int) -> R:
        """Any message or record of this class; fields that `version` does not have keep their defaults."""
        values: dict[str, Any] = {}
        for field in fields_of(cls):
            if field.in_version(version) and field.constant is None:
                values[field.name] = self._value(field.kind, version)
        if cls is LoadModule:
            values = {"name": self.random.choice(MODULES), "argument": self.random.choice(ARGUMENTS)}
        if "sample_spec" in values and self.random.random() < 0.8:
            self._agree(values)
        return cls(**values)

    def _value(self, kind: Kind | Counted | ToEnd, version: int) -> Any:
        if kind is kinds.SPEC_:
            return self.spec(version)
        if isinstance(kind, Kind):
            return self._by_kind[kind]()
        items = range(self.random.choice((0, 0, 1, 2)))
        if isinstance(kind.of, Kind):
            return [self._by_kind[kind.of]() for _ in items]
        return [self.message(kind.of, version) for _ in items]

    def _agree(self, values: dict[str, Any]) -> None:
        """Channel map and volume have as many channels as the sample spec."""
        channels = min(values["sample_spec"].channels, MAX_CHANNELS)
        if "channel_map" in values:
            values["channel_map"] = bytes(self.random.randrange(51) for _ in range(channels))
        if "volume" in values and isinstance(values["volume"], tuple):
            values["volume"] = (self.random.choice((0x10000, 0x8000, 0)),) * channels

    def number(self) -> int:
        """A small number, or one at which something begins or ends."""
        return self.random.choice(NUMBERS) if self.random.random() < 0.7 else self.random.randrange(100_000)

    def level(self) -> int:
        return self.random.choice((0, 0x8000, 0x10000, 0x10001, 2**31 - 1, 2**31, INVALID))

    def spec(self, version: int) -> SampleSpec:
        """A sample spec, mostly valid, with a format that peers of `version` know."""
        newest = SampleFormat.FLOAT32BE if version < 12 else SampleFormat.S32BE if version < 15 else 13
        channels = self.random.choice((1, 1, 2, 2, 2, 6, 32, 0, 33))
        return SampleSpec(self.random.randrange(newest + 1), channels, self.random.choice(RATES))

    def proplist(self) -> dict[str, bytes]:
        count = self.random.choice((0, 1, 2, 4))
        return {
            self.random.choice(KEYS): self.random.choice((b"name\0", b"", b"\xff\0", b"a\0b\0")) for _ in range(count)
        }

    def format(self) -> FormatInfo:
        """A format whose properties are mostly the JSON that formats have."""
        count = self.random.randrange(5)
        properties = {
            self.random.choice(FORMAT_KEYS): json.dumps(self.random.choice(FORMAT_VALUES)).encode() + b"\0"
            for _ in range(count)
        }
        if self.random.random() < 0.1:
            properties["format.rate"] = self.random.choice((b"", b"[" * 5000, b"\xff\xfe", b"{", b"9" * 5000))
        return FormatInfo(self.random.choice((1, 1, 1, 1, 0, 2, 9, 255)), properties)

    def sensible(self, message: Any) -> Any:
        """A stream that a program might want."""
        pick = self.random.choice
        spec = SampleSpec(self.random.randrange(9), pick((1, 2, 2, 2)), pick((8_000, 44_100, 48_000, 48_000, 192_000)))
        fields: dict[str, Any] = {
            "sample_spec": spec,
            "channel_map": STEREO[: spec.channels],
            "passthrough": False,
            "formats": [],
        }
        fields["volume"] = (pick((VOLUME_NORM, VOLUME_NORM // 2, 0)),) * spec.channels
        if isinstance(message, CreatePlaybackStream):
            fields |= {"sink_index": None, "sink_name": None, "maxlength": INVALID, "prebuf": pick((INVALID, 0, 400))}
            return replace(message, **fields, tlength=pick((INVALID, 4_000, 40_000)), minreq=pick((INVALID, 400)))
        fields |= {"source_index": None, "source_name": pick((None, "output.monitor")), "direct_on_input": None}
        return replace(message, **fields, maxlength=INVALID, fragsize=pick((INVALID, 400, 9_600)))


def damaged(random: Random, data: bytes) -> bytes:
    """The same with a few bytes changed, left out, put in, or cut off."""
    out = bytearray(data)
    for _ in range(random.randrange(1, 4)):
        at = random.randrange(len(out) + 1)
        match random.randrange(4):
            case 0:
                out[at : at + 1] = bytes((random.randrange(256),))
            case 1:
                del out[at : at + random.randrange(1, 6)]
            case 2:
                out[at:at] = random.randbytes(random.randrange(1, 6))
            case _:
                del out[at:]
    return bytes(out)


def pieces(random: Random, data: bytes) -> list[bytes]:
    """The same bytes, cut as a socket may deliver them."""
    if random.random() < 0.5:
        return [data]
    cuts = sorted(random.randrange(len(data) + 1) for _ in range(random.randrange(1, 6)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
