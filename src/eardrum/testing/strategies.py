"""Hypothesis strategies for messages: made from the declarations, so a new message needs nothing here."""

from __future__ import annotations

from typing import Any, TypeVar

from hypothesis import strategies as st

from eardrum.protocol import kinds
from eardrum.protocol.kinds import Counted, FormatInfo, Kind
from eardrum.protocol.message import Record, fields_of, once
from eardrum.terms.audio import INVALID, MAX_CHANNELS, SampleFormat, SampleSpec

R = TypeVar("R", bound=Record)

_u8 = st.integers(0, 2**8 - 1)
_u32 = st.integers(0, 2**32 - 1)
_u64 = st.integers(0, 2**64 - 1)
_foreign_bytes = st.binary(max_size=12).map(lambda b: b.replace(b"\0", b"?").decode("utf-8", "surrogateescape"))
_text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12) | _foreign_bytes
_keys = st.text(st.characters(min_codepoint=1, max_codepoint=127), min_size=1, max_size=12)
_proplist = st.dictionaries(_keys, st.binary(max_size=20), max_size=4)

_BY_KIND: dict[Kind, st.SearchStrategy[Any]] = {
    kinds.U8_: _u8,
    kinds.U32_: _u32,
    kinds.U64_: _u64,
    kinds.S64_: st.integers(-(2**63), 2**63 - 1),
    kinds.USEC_: _u64,
    kinds.LEVEL_: _u32,
    kinds.VERSION_: _u32,
    kinds.ERROR_: _u32,
    kinds.MASK_: _u32,
    kinds.EVENT_: _u32,
    kinds.INDEX_: st.none() | st.integers(0, INVALID - 1),
    kinds.BOOL_: st.booleans(),
    kinds.TIME_: st.tuples(_u32, _u32),
    kinds.STRING_: st.none() | _text,
    kinds.STRINGS_: st.lists(_text, max_size=4),
    kinds.MAP_: st.binary(max_size=MAX_CHANNELS),
    kinds.VOLUME_: st.lists(_u32, max_size=MAX_CHANNELS).map(tuple),
    kinds.PROPLIST_: _proplist,
    kinds.FORMAT_: st.builds(FormatInfo, _u8, _proplist),
    kinds.COOKIE_: st.binary(min_size=kinds.COOKIE_BYTES, max_size=kinds.COOKIE_BYTES),
    kinds.TAIL_: st.binary(max_size=20),
}


def sample_specs(version: int) -> st.SearchStrategy[SampleSpec]:
    """Specs, valid or not, with formats that peers of `version` know."""
    newest = SampleFormat.FLOAT32BE if version < 12 else SampleFormat.S32BE if version < 15 else 255
    return st.builds(SampleSpec, st.integers(0, newest), _u8, _u32)


@once
def messages(cls: type[R], version: int) -> st.SearchStrategy[R]:
    """Any message (or record) of this class; fields that `version` does not have keep their defaults."""
    fields = [f for f in fields_of(cls) if f.in_version(version) and f.constant is None]
    return st.builds(cls, **{f.name: _values(f.kind, version) for f in fields})


def _values(kind: Kind | Counted | kinds.ToEnd, version: int) -> st.SearchStrategy[Any]:
    if kind is kinds.SPEC_:
        return sample_specs(version)
    if isinstance(kind, Kind):
        return _BY_KIND[kind]
    items = _BY_KIND[kind.of] if isinstance(kind.of, Kind) else messages(kind.of, version)
    return st.lists(items, max_size=3)
