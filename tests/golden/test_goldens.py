"""What real programs and servers said to each other is read, shown and written again just so.

`tools/record_goldens.py` records them; they are never edited by hand.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from eardrum.cli.trace import golden_entry
from eardrum.protocol.codec import encode
from eardrum.protocol.message import Message
from eardrum.protocol.packets import DESCRIPTOR_BYTES, SoundPacket, control, sound_head
from eardrum.protocol.tap import Said, Tap

GOLDEN = Path(__file__).parent
FILES = sorted(GOLDEN.glob("*/*.txt"))
NAMES = [f"{path.parent.name}/{path.stem}" for path in FILES]


class Entry(NamedTuple):
    connection: int
    by: str
    data: bytes
    text: str


def entries(path: Path) -> Iterator[Entry]:
    """The packets of a golden file: a line that shows one, and indented lines of hex."""
    for found in re.finditer(r"(\d+) ([<>]) .*\n((?:    [0-9a-f]+\n)+)", path.read_text(encoding="utf-8")):
        by = "client" if found[2] == ">" else "server"
        yield Entry(int(found[1]), by, bytes.fromhex(found[3]), found[0])


def heard(path: Path) -> Iterator[tuple[Entry, Said]]:
    """Each packet as a tap hears it. Of sound only the descriptor was recorded, so silence stands for the samples."""
    taps: dict[int, Tap] = {}
    for entry in entries(path):
        sound = " SOUND " in entry.text.partition("\n")[0]
        packet = entry.data + bytes(struct.unpack_from(">I", entry.data)[0]) if sound else control(entry.data)
        said, *_ = taps.setdefault(entry.connection, Tap()).hear(entry.by, memoryview(packet))  # type: ignore[arg-type]
        yield entry, said


def test_there_is_something_to_hear() -> None:
    assert {path.parent.name for path in FILES} == {"pulseaudio-16.1", "pipewire-0.3.65"}
    assert {path.stem for path in FILES} >= {
        "pacat-play", "parec", "pactl-list", "pactl-info", "pactl-subscribe", "ffmpeg-play", "mpv", "pavucontrol",
        "chromium", "gstreamer", "gstreamer-record", "sdl", "openal", "portaudio", "canberra", "canberra-cached",
        "arecord", "pulsemixer",
    }  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_nothing_in_a_file_is_passed_over(path: Path) -> None:
    assert "".join(entry.text for entry in entries(path)) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_every_packet_is_shown_in_the_same_words(path: Path) -> None:
    for entry, said in heard(path):
        assert golden_entry(entry.connection, said) == entry.text


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_every_packet_is_written_to_the_same_bytes(path: Path) -> None:
    for entry, said in heard(path):
        match said.what:
            case SoundPacket(channel, seek, offset, _, _, total):
                assert sound_head(channel, total, seek, offset) == entry.data
                assert len(entry.data) == DESCRIPTOR_BYTES
            case Message() as message:
                assert encode(message, said.tag, said.version) == entry.data
            case riddle:
                pytest.fail(f"{entry.text}: {riddle}")


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_nothing_of_a_machine_is_in_them(path: Path) -> None:
    told: dict[str, set[str]] = {}
    for entry in entries(path):
        for key, value in re.findall(r"([\w.]+)='([^']*)'", entry.text):
            told.setdefault(key, set()).add(value)
    for key, only in {
        "user_name": "user",
        "host_name": "golden",
        "application.process.user": "user",
        "application.process.host": "golden",
        "application.process.machine_id": "0123456789abcdef0123456789abcdef",
    }.items():
        assert told.get(key, {only}) == {only}
