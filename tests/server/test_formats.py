"""Which sample spec a stream gets, and which is refused (native-protocol, stream creation)."""

import itertools
import json

import pytest

from eardrum.protocol.catalog import (
    CreatePlaybackStream,
    CreateRecordStream,
    DeletePlaybackStream,
    GetSinkInputInfo,
    SetPlaybackStreamName,
)
from eardrum.protocol.kinds import FormatInfo
from eardrum.server.formats import MAX_FORMATS, POSITION_NAMES, format_of
from eardrum.terms.audio import MONO, POSITIONS, STEREO, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError
from eardrum.testing.stage import FLOAT

NORM = (VOLUME_NORM,) * 2
NO_SPEC, NO_MAP = SampleSpec(255, 0, 0), b""  # what libpulse sends beside a format list
GROUPS = itertools.count()
ANY_VOLUME = (VOLUME_NORM,) * 32


def pcm(**properties: object) -> FormatInfo:
    """A PCM format; values are written as JSON, bytes as they are."""
    names = {f"format.{key}": value for key, value in properties.items()}
    return FormatInfo(
        1, {key: v if isinstance(v, bytes) else json.dumps(v).encode() + b"\0" for key, v in names.items()}
    )


def asked(spec=FLOAT, channel_map=STEREO, volume=NORM, **fields):
    given = {"sample_spec": spec, "channel_map": channel_map, "volume": volume}
    return CreatePlaybackStream(**given, **{"sync_id": next(GROUPS), **fields})


def listed(*formats: FormatInfo, **fields):
    return asked(NO_SPEC, NO_MAP, ANY_VOLUME, formats=list(formats), volume_set=False, **fields)


@pytest.fixture
def program(outlet):
    return outlet("null", "silence").join()


# -- without a format list


@pytest.mark.parametrize(
    "message",
    [
        asked(FLOAT._replace(format=13)),
        asked(FLOAT._replace(format=255)),
        asked(FLOAT._replace(rate=0)),
        asked(FLOAT._replace(rate=387_841)),
        asked(FLOAT._replace(rate=0xFFFFFFFF)),
        asked(FLOAT._replace(channels=0), b"", ()),
        asked(FLOAT._replace(channels=33), bytes(32), (VOLUME_NORM,) * 32),
        asked(channel_map=MONO),
        asked(channel_map=bytes((1, 51))),
        asked(channel_map=bytes((255, 255))),
        asked(channel_map=b""),
        asked(volume=(VOLUME_NORM,)),
        asked(volume=(VOLUME_NORM,) * 3),
        asked(volume=()),
        asked(volume=(VOLUME_NORM, 0x80000000)),
        asked(volume=(VOLUME_NORM, 0xFFFFFFFF), volume_set=False),
    ],
    ids=lambda m: f"{m.sample_spec}-{m.channel_map.hex()}-{len(m.volume)}",
)
def test_what_makes_no_sense_is_invalid(program, message):
    assert program.ask(message) == PulseError.INVALID


def test_a_record_stream_is_looked_at_in_the_same_way(program):
    assert program.ask(CreateRecordStream(sample_spec=FLOAT, channel_map=MONO)) == PulseError.INVALID
    assert program.ask(CreateRecordStream(sample_spec=NO_SPEC, channel_map=NO_MAP)) == PulseError.INVALID
    bad = CreateRecordStream(sample_spec=FLOAT, channel_map=STEREO, volume=(VOLUME_NORM,) * 3, volume_set=True)
    assert program.ask(bad) == PulseError.INVALID
    unset = CreateRecordStream(sample_spec=FLOAT, channel_map=STEREO, volume=(VOLUME_NORM,) * 3)
    assert not isinstance(program.ask(unset), PulseError)


def test_the_reply_echoes_what_was_asked_for(program):
    """libpulse gives up the connection if it is told another spec than it asked for."""
    for spec in (
        FLOAT,
        SampleSpec(SampleFormat.S16BE, 2, 8000),
        SampleSpec(SampleFormat.ALAW, 2, 387_840),
        FLOAT._replace(rate=1),
    ):
        reply = program.ask(asked(spec, bytes((2, 1))))
        assert (reply.sample_spec, reply.channel_map) == (spec, bytes((2, 1)))


def test_who_says_fix_gets_what_the_device_has(program):
    spec = SampleSpec(SampleFormat.U8, 1, 8000)
    for fields, fixed in (
        ({"fix_format": True}, spec._replace(format=SampleFormat.S16LE)),
        ({"fix_rate": True}, spec._replace(rate=48000)),
        ({"fix_channels": True}, spec._replace(channels=2)),
    ):
        reply = program.ask(asked(spec, MONO, (1000,), **fields))
        assert reply.sample_spec == fixed
        assert program.ask(GetSinkInputInfo(index=reply.sink_input)).volume == (1000,) * fixed.channels


def test_who_passes_through_is_alone_and_has_no_volume(program):
    reply = program.ask(asked(volume=(7, 7), passthrough=True))
    info = program.ask(GetSinkInputInfo(index=reply.sink_input))
    assert (info.volume, info.has_volume) == (NORM, False)
    assert program.ask(asked()) == PulseError.BUSY
    program.ask(DeletePlaybackStream(channel=reply.channel))
    program.ask(asked())
    assert program.ask(asked(passthrough=True)) == PulseError.BUSY


# -- with a format list


def test_the_first_pcm_format_is_taken(program):
    formats = [FormatInfo(2, {}), pcm(sample_format="s16le", rate=44100, channels=1), pcm()]
    reply = program.ask(listed(*formats))
    assert (reply.sample_spec, reply.channel_map) == (SampleSpec(SampleFormat.S16LE, 1, 44100), MONO)
    assert reply.format == format_of(reply.sample_spec, reply.channel_map)


def test_one_that_leaves_a_choice_is_passed_over(program):
    formats = [pcm(rate=[44100, 48000]), pcm(rate={"min": 1, "max": 48000}), pcm(sample_format=["u8"]), pcm(rate=8000)]
    assert program.ask(listed(*formats)).sample_spec.rate == 8000
    assert program.ask(listed(*formats[:3])) == PulseError.NOTSUPPORTED


def test_what_a_format_leaves_open_is_the_sinks(program):
    reply = program.ask(listed(pcm()))
    assert (reply.sample_spec, reply.channel_map) == (SampleSpec(SampleFormat.S16LE, 2, 48000), STEREO)


def test_channels_may_be_named(program):
    reply = program.ask(listed(pcm(channel_map="front-right,front-left")))
    assert reply.channel_map == bytes((2, 1))


@pytest.mark.parametrize("number", range(POSITIONS))
def test_every_position_has_a_name(number):
    assert POSITION_NAMES[number]
    assert len(POSITION_NAMES) == POSITIONS


@pytest.mark.parametrize(
    ("formats", "error"),
    [
        ([FormatInfo(0, {})], PulseError.NOTSUPPORTED),  # any
        ([FormatInfo(2, {})], PulseError.NOTSUPPORTED),  # AC3
        ([FormatInfo(9, {}), pcm()], PulseError.INVALID),  # no encoding, and all are looked at
        ([FormatInfo(255, {})], PulseError.INVALID),
        ([pcm()] * (MAX_FORMATS + 1), PulseError.TOOLARGE),
        ([pcm(sample_format="s17le")], PulseError.NOTSUPPORTED),
        ([pcm(rate=0)], PulseError.INVALID),
        ([pcm(rate=-48000)], PulseError.INVALID),
        ([pcm(rate=10**30)], PulseError.INVALID),
        ([pcm(rate=True)], PulseError.NOTSUPPORTED),
        ([pcm(rate=48000.0)], PulseError.NOTSUPPORTED),
        ([pcm(channels=0)], PulseError.INVALID),
        ([pcm(channels=33)], PulseError.INVALID),
        ([pcm(channel_map="front-left")], PulseError.INVALID),
        ([pcm(channel_map="front-left,elsewhere")], PulseError.INVALID),
        ([pcm(channel_map=",")], PulseError.INVALID),
        ([pcm(sample_format={"a": []})], PulseError.NOTSUPPORTED),
        ([pcm(sample_format=None)], PulseError.NOTSUPPORTED),
    ],
    ids=str,
)
def test_formats_that_will_not_do(program, formats, error):
    assert program.ask(listed(*formats)) == error


@pytest.mark.parametrize(
    "damaged",
    [b"", b"\0", b"48000", b"{", b'"s16le', b"48000\0\0", b"\xff\xfe\0", b"\xef\xbb\xbf1", b"NaN\0", b"1e999\0",
     b"[" * 60000, b'{"a":' * 10000, b"9" * 60000, b"-", b"\xc3\x28", b'"\\ud800"', b"1,2"],
    ids=lambda raw: repr(raw[:12]),
)  # fmt: skip
def test_damaged_json_is_refused_and_nothing_worse(program, damaged):
    for key in ("sample_format", "rate", "channels", "channel_map"):
        outcome = program.ask(listed(pcm(**{key: damaged})))
        assert outcome in (PulseError.INVALID, PulseError.NOTSUPPORTED) or outcome.sample_spec.valid


def test_a_volume_beside_a_format_list_fits_whatever_comes_of_it(program):
    reply = program.ask(listed(pcm(channels=1, sample_format="u8")))
    assert program.ask(GetSinkInputInfo(index=reply.sink_input)).volume == (VOLUME_NORM,)
    reply = program.ask(asked(NO_SPEC, NO_MAP, (7,), volume_set=True, formats=[pcm()]))
    assert program.ask(GetSinkInputInfo(index=reply.sink_input)).volume == (7, 7)
    assert program.ask(asked(NO_SPEC, NO_MAP, (7,) * 32, volume_set=True, formats=[pcm()])) == PulseError.INVALID
    one_each = asked(NO_SPEC, NO_MAP, (7, 9), volume_set=True, formats=[pcm(channels=2)])
    reply = program.ask(one_each)
    assert program.ask(GetSinkInputInfo(index=reply.sink_input)).volume == (7, 9)


# -- names of streams


@pytest.mark.parametrize("name", [None, "\udcff", "a\udc80b"])
def test_a_name_that_is_no_text_is_invalid(program, name):
    program.play()
    assert program.ask(SetPlaybackStreamName(channel=0, name=name)) == PulseError.INVALID


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Tune", "Tune"),
        ("未来の音　楽", "未来の音　楽"),  # an ideographic space
        ("a\x1b[31mb\n", "a[31mb"),
        ("\u202eevil", "evil"),
        ("x" * 1000, "x" * 256),
        ("", ""),
    ],
)
def test_other_names_are_kept_without_hidden_characters(program, name, kept):
    stream = program.play()
    program.ask(SetPlaybackStreamName(channel=0, name=name))
    assert program.ask(GetSinkInputInfo(index=stream.sink_input)).name == kept
