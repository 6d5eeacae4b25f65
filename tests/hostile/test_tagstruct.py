"""Commands that are well framed and badly written: every field of every command, from the declarations."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from eardrum.protocol import catalog as c
from eardrum.protocol import codec, kinds
from eardrum.protocol.kinds import FormatInfo, ToEnd
from eardrum.protocol.message import Message, every, fields_of
from eardrum.protocol.packets import control
from eardrum.terms.audio import STEREO, VOLUME_NORM
from eardrum.terms.errors import PulseError
from eardrum.testing.arena import BACKENDS
from eardrum.testing.filled import filled
from eardrum.testing.workers import S16

pytestmark = pytest.mark.parametrize("attacked", BACKENDS, indirect=True)

SAYABLE = [cls for cls in every() if cls.SENDER != "server"]
SAMPLE = 23  # all is tried on the first back end, every so-manieth on the others: before a message is read, all are one
LETTERS = b"LBRrta01mvPTUxfVN\0"
SIZES = {"L": 5, "B": 2, "R": 9, "r": 9, "a": 7, "N": 1, "0": 1, "1": 1, "T": 9, "U": 9, "V": 5, "P": 1, "f": 1}
SAME = {b"t": b"tN", b"N": b"tN", b"0": b"01", b"1": b"01"}  # these may stand for each other
CREATE = c.CreatePlaybackStream(sample_spec=S16, channel_map=STEREO, volume=(VOLUME_NORM,) * 2, corked=True)


def payload(cls: type[Message]) -> bytes:
    return codec.encode(filled(cls, 35), 7, 35)


def goes_on(cls: type[Message]) -> bool:
    """Whether its last field takes all that follows."""
    last = fields_of(cls)[-1:]
    return bool(last) and (isinstance(last[0].kind, ToEnd) or last[0].kind is kinds.TAIL_)


def values(data: bytes) -> Iterator[int]:
    """Where each value of a packet begins: read by its letters, without the declarations."""
    position = 0
    while position < len(data):
        yield position
        letter = chr(data[position])
        if letter == "t":
            position = data.index(0, position) + 1
        elif letter == "x":
            position += 5 + struct.unpack_from(">I", data, position + 1)[0]
        elif letter in "mv":
            position += 2 + data[position + 1] * (1 if letter == "m" else 4)
        else:
            position += SIZES[letter]


def some(packets: Iterator[bytes], backend: str) -> list[bytes]:
    return list(islice(packets, 0, None, 1 if backend == BACKENDS[0] else SAMPLE))


def wrong_letters() -> Iterator[bytes]:
    for cls in SAYABLE:
        data = payload(cls)
        for position in values(data):
            right = data[position : position + 1]
            for letter in LETTERS:
                if letter not in SAME.get(right, right):
                    yield control(data[:position] + bytes((letter,)) + data[position + 1 :])


def cut_short() -> Iterator[bytes]:
    for cls in SAYABLE:
        data = payload(cls)
        ends = set(values(data)) if goes_on(cls) else set()
        yield from (control(data[:end]) for end in range(len(data)) if end not in ends)


def left_over() -> Iterator[bytes]:
    for cls in SAYABLE:
        if not goes_on(cls):
            yield from (control(payload(cls) + more) for more in (b"\0", b"N", b"L\0\0\0\0", payload(cls)))


@pytest.mark.case("P13")
def test_a_wrong_letter_in_any_field_ends_the_connection(victim):
    victim.drops(some(wrong_letters(), victim.backend))


@pytest.mark.case("P14")
def test_a_command_cut_short_at_any_byte_ends_the_connection(victim):
    victim.drops(some(cut_short(), victim.backend))


@pytest.mark.case("P15")
def test_what_is_left_over_after_a_command_ends_the_connection(victim):
    victim.drops(some(left_over(), victim.backend))


def refused(victim: Any, *commands: Message) -> set[PulseError]:
    """With what a program that has a stream is refused; what is granted counts as 0. The connection lives."""
    with victim.join() as attacker:
        attacker.play(corked=True)
        outcomes = {attacker.ask(command) for command in commands}
        assert attacker.ask(c.Stat()) == c.StatReply()
    return {outcome if isinstance(outcome, PulseError) else PulseError(0) for outcome in outcomes}


@pytest.mark.case("P16")
def test_no_text_where_text_is_needed_is_invalid(victim):
    textless = [c.LookupSink(name=None), c.LookupSource(name=None), c.PlaySample(name=None), c.RemoveSample(name=None)]
    assert refused(
        victim, *textless, c.CreateUploadStream(name=None, sample_spec=S16, channel_map=STEREO, length=4)
    ) == {PulseError.INVALID}


@pytest.mark.case("P17")
def test_a_name_that_is_no_utf8_is_invalid(victim):
    name = b"a\xff\xc3".decode("utf-8", "surrogateescape")
    named = [
        c.LookupSink(name=name),
        replace(CREATE, sink_name=name),
        c.GetSinkInfo(name=name),
        c.PlaySample(name=name),
    ]
    assert refused(victim, *named) == {PulseError.INVALID}


@pytest.mark.case("P17")
def test_a_property_that_is_no_utf8_is_not_kept(victim):
    with victim.join() as attacker:
        attacker.ask(c.SetClientName(proplist={"application.name": b"\xff\xfe\0", "application.id": b"\xc3\0"}))
        attacker.play(proplist={"media.name": b"\xed\xa0\x80\0"}, corked=True)
        attacker.ask(c.SetPlaybackStreamName(channel=0, name="\udcff"))
        said = attacker.ask(c.GetSinkInputInfoList()).items[0]
        for value in [said.name.encode("utf-8", "surrogateescape"), *said.proplist.values()]:
            value.decode()


@pytest.mark.case("P18")
def test_specs_that_cannot_be_are_invalid(victim):
    specs = [S16._replace(channels=n) for n in (0, 33, 255)] + [S16._replace(rate=n) for n in (0, 768_001, 2**32 - 1)]
    specs += [S16._replace(format=n) for n in (13, 255)]
    assert refused(victim, *(replace(CREATE, sample_spec=spec) for spec in specs)) == {PulseError.INVALID}


@pytest.mark.case("P19")
def test_maps_and_volumes_of_other_channels_are_invalid(victim):
    maps = [replace(CREATE, channel_map=map_) for map_ in (b"", b"\0", b"\1\2\3", bytes(range(32)), b"\1\xff")]
    volumes = [replace(CREATE, volume=(VOLUME_NORM,) * n) for n in (0, 1, 3, 32)]
    set_volumes = [c.SetSinkVolume(index=0, volume=(VOLUME_NORM,) * 3), c.SetSinkVolume(index=0, volume=())]
    assert refused(victim, *maps, *volumes, *set_volumes) == {PulseError.INVALID}


@pytest.mark.case("P20")
def test_thousands_of_properties_are_refused(victim):
    with victim.join() as attacker:
        many = {f"attack.{number}": b"x" * 15 + b"\0" for number in range(4096)}
        attacker.ask(c.SetClientName(proplist={"application.name": b"attacker\0"}))
        for mode in range(3):
            assert attacker.ask(c.UpdateClientProplist(mode=mode, proplist=many)) == PulseError.TOOLARGE
        assert attacker.ask(replace(CREATE, proplist=many)) == PulseError.TOOLARGE
        long = dict.fromkeys(("media.name", "k"), b"y" * 40_000 + b"\0")
        assert attacker.ask(replace(CREATE, proplist=long)) == PulseError.TOOLARGE
        assert attacker.ask(c.GetClientInfoList()).items[-1].proplist.keys() & many.keys() == set()


@pytest.mark.case("P20")
def test_of_properties_only_known_ones_are_kept_and_not_all_of_them(victim):
    with victim.join() as attacker:
        some = {f"attack.{number}": b"x" * 15 + b"\0" for number in range(500)}
        assert attacker.ask(c.UpdateClientProplist(mode=2, proplist=some)) == c.Ack()
        attacker.play(proplist={**some, "media.name": b"y" * 10_000 + b"\0"}, corked=True)
        assert attacker.ask(c.GetClientInfoList()).items[-1].proplist.keys() & some.keys() == set()
        for stream in attacker.ask(c.GetSinkInputInfoList()).items:
            assert len(stream.proplist) < 30
            assert max(map(len, stream.proplist.values())) <= 1025


@pytest.mark.case("P20")
def test_properties_with_two_lengths_or_without_a_key_end_the_connection(victim):
    good = codec.encode(c.SetClientName(proplist={"k": b"value\0"}), 7, 35)
    other_length = good.replace(b"L\0\0\0\6x\0\0\0\6", b"L\0\0\0\6x\0\0\0\5")
    longer = good.replace(b"L\0\0\0\6x\0\0\0\6", b"L\0\1\0\1x\0\1\0\1")
    keyless = good.replace(b"tk\0", b"t\0")
    keyed = good.replace(b"tk\0", b"t\xff\0")
    assert good not in (other_length, longer, keyless, keyed)
    victim.drops([control(data) for data in (other_length, longer, keyless, keyed)])


@pytest.mark.case("P21")
def test_formats_without_number(victim):
    nested = {f"format.{number}": b'{"a": [' * 20 + b"\0" for number in range(20)}
    with victim.join() as attacker:
        for listed in (
            [FormatInfo(1, {})] * 255,
            [FormatInfo(n, {}) for n in range(255)],
            [FormatInfo(1, nested)] * 40,
        ):
            assert attacker.ask(replace(CREATE, formats=listed)) == PulseError.TOOLARGE
        assert attacker.ask(c.Stat()) == c.StatReply()
