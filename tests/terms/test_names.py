from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eardrum.terms.errors import Complaint
from eardrum.terms.names import WireEnd, check_heard, checked_name, input_end, output_end, valid_device_name

names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", fullmatch=True)
sinks = st.from_regex(r"[A-Za-z0-9._-]{1,128}", fullmatch=True).filter(lambda name: not name.isdigit())
paths = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])).map(lambda path: f"/{path}.wav")
rooms = st.builds(WireEnd, st.just("room"), names)
devices = st.builds(WireEnd, st.just("alsa"), st.from_regex(r"[a-z]+(:[A-Z0-9=,]{0,20})?", fullmatch=True))
hosts = st.builds(WireEnd, st.just("host"), sinks | st.just(""))
outputs = (
    devices | st.just(WireEnd("null")) | rooms | hosts | st.builds(WireEnd, st.sampled_from(["file", "fifo"]), paths)
)
inputs = (
    devices
    | st.just(WireEnd("silence"))
    | rooms
    | hosts
    | st.builds(WireEnd, st.sampled_from(["file", "loop", "fifo"]), paths)
)


@given(names)
def test_good_names_are_taken_as_they_are(name):
    assert checked_name(name) == name


@pytest.mark.case("P61")
@pytest.mark.parametrize(
    "name",
    [
        "", ".", "..", ".hidden", "-rf", "a/b", "/", "../etc", "a" * 65, "a b", "a\n", "a\0", "naïve", "a:b",
    ],
)  # fmt: skip
def test_bad_names_are_complained_about_in_one_line(name):
    with pytest.raises(Complaint) as complaint:
        checked_name(name)
    assert "\n" not in str(complaint.value)
    assert "1 to 64" in str(complaint.value)
    assert complaint.value.status == 2


def test_the_complaint_says_what_the_name_is_of():
    with pytest.raises(Complaint, match="room name 'a b'"):
        checked_name("a b", "room")


@pytest.mark.parametrize("name", ["alsa_output.pci-0000_00_1f.3.analog-stereo", "output", "a", ".", "x" * 128])
def test_device_names(name):
    assert valid_device_name(name)


@pytest.mark.parametrize("name", ["", "a b", "@DEFAULT_SINK@", "a:b", "a\n", "x" * 129, "é"])
def test_other_device_names(name):
    assert not valid_device_name(name)


@given(outputs)
def test_an_output_end_survives_being_written(end):
    assert output_end(str(end)) == end


@given(inputs)
def test_an_input_end_survives_being_written(end):
    assert input_end(str(end)) == end


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("host", WireEnd("host")),
        ("host:alsa_output.usb", WireEnd("host", "alsa_output.usb")),
        ("room:studio", WireEnd("room", "studio")),
        ("file:/tmp/a.WAV", WireEnd("file", "/tmp/a.WAV")),
        ("file:/tmp/a:b.flac", WireEnd("file", "/tmp/a:b.flac")),
        ("file:/tmp/a.opus", WireEnd("file", "/tmp/a.opus")),
        ("fifo:/tmp/a", WireEnd("fifo", "/tmp/a")),
        ("null", WireEnd("null")),
    ],
)
def test_outputs(text, end):
    assert output_end(text) == end


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no such wire end"),
        ("speakers", "no such wire end"),
        ("Host", "no such wire end"),
        ("null:", "no such wire end"),
        ("null:x", "no such wire end"),
        ("silence", "no such wire end"),
        ("room", "no such wire end"),
        ("room:", "room name ''"),
        ("room:../x", "room name '../x'"),
        ("file:", "no such wire end"),
        ("file:/tmp/a.mp3", r"must end in \.wav, \.flac, \.opus"),
        ("host:", "no sink's name"),
        ("host:a b", "no sink's name"),
    ],
)
def test_bad_outputs(text, why):
    with pytest.raises(Complaint, match=why) as complaint:
        output_end(text)
    assert complaint.value.status == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no such wire end"),
        ("null", "no such wire end"),
        ("room", "no such wire end"),
        ("room:", "room name ''"),
        ("silence:", "no such wire end"),
        ("file:", "no such wire end"),
        ("loop:", "no such wire end"),
        ("fifo", "no such wire end"),
        ("host:", "no source's name"),
        ("host:a b", "no source's name"),
        ("host:5", "is a number"),
    ],
)
def test_bad_inputs(text, why):
    with pytest.raises(Complaint, match=why) as complaint:
        input_end(text)
    assert complaint.value.status == 2


@given(
    st.sampled_from(["", "host", "host:", "room:", "file:", "file:/", "loop:/", "fifo:", "null", "silence"]),
    st.text(),
    st.booleans(),
)
def test_whatever_is_typed_the_answer_is_that_end_or_one_line(kind, rest, wav):
    typed = kind + rest + (".wav" if wav else "")
    for parse in (output_end, input_end):
        try:
            assert str(parse(typed)) == typed
        except Complaint as complaint:
            assert_one_line(str(complaint))


def assert_one_line(words: str) -> None:
    assert words
    assert len(words.splitlines()) == 1


@pytest.mark.parametrize(
    ("parse", "text", "meant"),
    [
        (output_end, "x.wav", "file:x.wav"),
        (output_end, "./X.FLAC", "file:./X.FLAC"),
        (output_end, "rom:x", "room:x"),
        (output_end, "Host", "host"),
        (input_end, "silent", "silence"),
        (input_end, "lop:x.wav", "loop:x.wav"),
    ],
)
def test_a_wire_end_that_is_nearly_one(parse, text, meant):
    with pytest.raises(Complaint, match=f"no such wire end; did you mean {re.escape(repr(meant))}\\? use "):
        parse(text)


@pytest.mark.parametrize("device", [" hw:0", "hw:0 ", "a\nb", "a\0", "x" * 201])
def test_what_is_no_devices_name(device):
    for parse in (output_end, input_end):
        with pytest.raises(Complaint, match="no name of a device") as complaint:
            parse(f"alsa:{device}")
        assert "\n" not in str(complaint.value)


def test_a_monitor_of_the_host_is_an_input_only_for_who_may_hear():
    for may_be in (None, WireEnd("host"), WireEnd("host", "mic"), WireEnd("room", "x.monitor")):
        check_heard(may_be, hear=False)
    monitor = WireEnd("host", "speakers.monitor")
    check_heard(monitor, hear=True)
    with pytest.raises(Complaint, match="everything that plays into speakers; use --hear") as complaint:
        check_heard(monitor, hear=False)
    assert complaint.value.status == 2


def test_who_gets_a_descriptor():
    assert WireEnd("alsa", "hw:0").has_descriptor
    assert not WireEnd("alsa", "hw:0").has_path
    assert WireEnd("fifo", "/x").has_descriptor
    assert not WireEnd("null").has_descriptor
