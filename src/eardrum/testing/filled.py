"""One message of each kind with something sensible in every field, made from its declaration."""

from __future__ import annotations

from typing import Any, TypeVar

from eardrum.protocol import kinds
from eardrum.protocol.kinds import Counted, FormatInfo, Kind, ToEnd
from eardrum.protocol.message import Record, fields_of
from eardrum.terms.audio import STEREO, VOLUME_NORM
from eardrum.testing.workers import S16

R = TypeVar("R", bound=Record)

_BY_KIND: dict[Kind, Any] = {
    kinds.BOOL_: True,
    kinds.STRING_: "words",
    kinds.STRINGS_: ["word"],
    kinds.SPEC_: S16,
    kinds.MAP_: STEREO,
    kinds.VOLUME_: (VOLUME_NORM,) * 2,
    kinds.TIME_: (0, 0),
    kinds.PROPLIST_: {"media.name": b"x\0"},
    kinds.FORMAT_: FormatInfo(1, {"format.rate": b"48000\0"}),
    kinds.COOKIE_: bytes(kinds.COOKIE_BYTES),
    kinds.TAIL_: b"",
}
_NUMBER = 1


def filled(cls: type[R], version: int) -> R:
    """A message (or record) of this class; fields that `version` does not have keep their defaults."""
    fields = [f for f in fields_of(cls) if f.constant is None]
    return cls(**{f.name: _value(f.kind, version) for f in fields if f.in_version(version)})


def _value(kind: Kind | Counted | ToEnd, version: int) -> Any:
    if isinstance(kind, Kind):
        return _BY_KIND.get(kind, _NUMBER)
    return [_BY_KIND.get(kind.of, _NUMBER) if isinstance(kind.of, Kind) else filled(kind.of, version)]
