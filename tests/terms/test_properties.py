from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eardrum.terms.errors import PulseError, Refused
from eardrum.terms.properties import ALLOWED, MAX_BYTES, MAX_CHARACTERS, MAX_KEYS, cleaned, text, value

proplists = st.dictionaries(
    st.sampled_from(sorted(ALLOWED)) | st.text(max_size=20), st.binary(max_size=40) | st.text().map(value)
)


def test_what_a_player_says_about_itself_is_kept():
    said = {
        "application.name": b"Firefox\0",
        "application.process.binary": b"firefox\0",
        "application.process.id": b"4711\0",
        "media.name": "Für Elise — 🎹\0".encode(),
        "media.role": b"music\0",
    }
    assert cleaned(said) == said


@pytest.mark.parametrize(
    "key",
    [
        "application.process.host", "application.process.machine_id", "application.process.session_id",
        "application.process.user", "device.description", "filter.want", "media.filename",
        "module-stream-restore.id", "native-protocol.peer", "node.target", "object.serial", "pipewire.access",
        "stream.monitor", "target.object", "window.x11.display", "", "media.name ", "MEDIA.NAME",
    ],
)  # fmt: skip
def test_what_points_at_the_host_or_steers_a_server_is_not(key):
    assert cleaned({key: b"x\0"}) == {}


def test_about_25_keys_are_known():
    assert 15 < len(ALLOWED) <= 25


@pytest.mark.parametrize("raw", [b"", b"no end", b"\xff\xfe\0", b"two\0words\0", b"\xed\xa0\x80\0", b"\x89PNG\r\n"])
def test_what_is_not_text_is_dropped(raw):
    assert cleaned({"application.name": raw}) == {}
    assert text({"application.name": raw}, "application.name", "nobody") == "nobody"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("\x1b[31mred\x07", "[31mred"),
        ("two\nlines\r\n", "twolines"),
        ("two\u2028lines\u2029", "twolines"),
        ("\u202egnp.exe", "gnp.exe"),
        ("a\u2066b\u2069c\u200fd\u061ce", "abcde"),
        ("\x85\x9b", ""),
        ("", ""),
    ],
)
def test_control_and_bidi_characters_are_removed(said, kept):
    assert cleaned({"media.name": value(said)}) == {"media.name": value(kept)}


def test_long_values_are_cut_between_characters():
    assert cleaned({"media.name": value("ü" * 300)}) == {"media.name": value("ü" * MAX_CHARACTERS)}


def test_text_and_value():
    assert value("Müll") == b"M\xc3\xbcll\0"
    assert text({"media.name": value("Müll")}, "media.name") == "Müll"
    assert text({}, "media.name") == ""
    assert text({}, "media.name", "unnamed") == "unnamed"


@given(proplists)
def test_what_is_kept_is_short_text_under_known_keys(said):
    for key, raw in cleaned(said).items():
        assert key in ALLOWED
        words = raw.removesuffix(b"\0").decode()
        assert len(words) <= MAX_CHARACTERS
        assert not any(ord(character) < 32 for character in words)


@given(proplists)
def test_clean_stays_clean(said):
    once = cleaned(said)
    assert cleaned(once) == once


@given(proplists)
def test_what_is_said_is_not_changed(said):
    before = dict(said)
    cleaned(said)
    assert said == before


@pytest.mark.parametrize(
    "said",
    [
        {f"k{number}": b"x\0" for number in range(MAX_KEYS + 1)},
        {"media.name": b"x" * MAX_BYTES + b"\0"},
        {"media.name": b"x" * (MAX_BYTES // 2), "attack": b"x" * (MAX_BYTES // 2 + 1)},
    ],
    ids=["keys", "one-value", "values"],
)
def test_more_than_any_program_says_is_refused(said):
    with pytest.raises(Refused) as refusal:
        cleaned(said)
    assert refusal.value.error is PulseError.TOOLARGE


def test_as_much_as_that_is_not():
    assert cleaned({f"k{number}": b"x\0" for number in range(MAX_KEYS)}) == {}
