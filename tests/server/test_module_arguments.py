"""The arguments of modules, as scripts write them."""

import pytest

from eardrum.server.module_arguments import Arguments, layout, pairs
from eardrum.terms.audio import MONO, STEREO, SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError, Refused

DEVICE = SampleSpec(SampleFormat.S16LE, 2, 48000)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("sink_name=speaker", {"sink_name": "speaker"}),
        ("  a=1\tb = 2 ", {"a": "1", "b": "2"}),
        ('a="one two" b=\'three "four"\'', {"a": "one two", "b": 'three "four"'}),
        (r"a=one\ two", {"a": "one two"}),
        ("sink_properties=device.description=Speaker", {"sink_properties": "device.description=Speaker"}),
        ("a=", {"a": ""}),
    ],
)
def test_pairs_are_split_as_scripts_mean_them(text, found):
    assert pairs(text) == found


@pytest.mark.parametrize("text", ["speaker", "=x", 'a="open', "a=1 b", 'p=device.description="My Mic"', "x" * 5000])
def test_what_are_no_pairs_is_refused(text):
    with pytest.raises(Refused) as refused:
        pairs(text)
    assert refused.value.error is PulseError.MODINITFAILED


def test_an_unknown_argument_is_refused_by_its_name():
    with pytest.raises(Refused, match="snik_name"):
        Arguments("snik_name=a", {"sink_name"})


@pytest.mark.parametrize(
    ("text", "spec", "channel_map"),
    [
        ("", DEVICE, STEREO),
        ("rate=44100 channels=1", SampleSpec(SampleFormat.S16LE, 1, 44100), MONO),
        ("format=float32le", SampleSpec(SampleFormat.FLOAT32LE, 2, 48000), STEREO),
        ("channel_map=mono", SampleSpec(SampleFormat.S16LE, 1, 48000), MONO),
        ("channels=2 channel_map=left,right", DEVICE, STEREO),
        ("channels=6", SampleSpec(SampleFormat.S16LE, 6, 48000), bytes((1, 8, 3, 2, 9, 4))),
        ("channel_map=surround-51", SampleSpec(SampleFormat.S16LE, 6, 48000), bytes((1, 2, 5, 6, 3, 7))),
    ],
)
def test_a_spec_is_what_was_said_and_else_the_devices(text, spec, channel_map):
    assert Arguments(text, {"format", "rate", "channels", "channel_map"}).spec(DEVICE, STEREO) == (spec, channel_map)


@pytest.mark.parametrize(
    "text",
    [
        "rate=0",
        "rate=fast",
        "channels=33",
        "format=mp3",
        "channel_map=up",
        "channels=1 channel_map=stereo",
        "channels=0000000000023333",
        "rate=0000000480009999999",
    ],
)
def test_a_spec_that_cannot_be_is_refused(text):
    with pytest.raises(Refused):
        Arguments(text, {"format", "rate", "channels", "channel_map"}).spec(DEVICE, STEREO)


def test_of_a_devices_properties_only_known_ones_are_kept():
    said = Arguments("p='device.description=\"My Mic\" node.target=x device.class=sound'", {"p"})
    assert said.properties("p") == {"device.description": b"My Mic\0", "device.class": b"sound\0"}


def test_a_devices_properties_are_cleaned_as_all_text_is():
    said = Arguments("p='device.description=\"My\u202eMic\" '", {"p"})
    assert said.properties("p") == {"device.description": b"MyMic\0"}


def test_any_number_of_channels_has_a_layout():
    assert all(len(layout(channels)) == channels for channels in range(1, 33))
