"""What goes through a checkpoint without a word, and each thing that it notes."""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import replace

import pytest

from eardrum.protocol import catalog as c
from eardrum.protocol import codec
from eardrum.protocol.kinds import FormatInfo
from eardrum.protocol.message import NEWEST, NO_TAG, Message, every
from eardrum.protocol.packets import sound_head
from eardrum.terms.audio import STEREO, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.testing.checkpoint.law import ALLOWED, Terms
from eardrum.testing.checkpoint.passage import Passage

S16 = SampleSpec(SampleFormat.S16LE, 2, 48_000)
FULL = (VOLUME_NORM,) * 2
PLAY = c.CreatePlaybackStream(sample_spec=S16, channel_map=STEREO, volume=FULL)
RECORD = c.CreateRecordStream(sample_spec=S16, channel_map=STEREO, volume=FULL)
PLAYS = c.PlaybackStreamCreated(
    channel=3, sink_input=70, missing=4096, sample_spec=S16, channel_map=STEREO, sink_index=0, sink_name="null"
)
RECORDS = c.RecordStreamCreated(
    channel=4, source_output=71, sample_spec=S16, channel_map=STEREO, source_index=0, source_name="null.monitor"
)


class Conversation:
    """A worker and its upstream on either side of a checkpoint."""

    def __init__(self, terms: Terms = Terms()) -> None:  # noqa: B008
        self.said: Counter[str] = Counter()
        self.faults: list[str] = []
        self.passage = Passage(terms, self.said, self.faults.append)
        self._tag = 0

    def say(self, message: Message, answer: Message | None = None) -> None:
        self._tag += 1
        self.send(codec.packet(message, self._tag, NEWEST))
        if answer is not None:
            self.passage.upstream_says(memoryview(codec.packet(answer, self._tag, NEWEST)))

    def send(self, data: bytes) -> None:
        self.passage.worker_says(memoryview(data))

    def noted(self) -> str:
        """The one thing that was noted."""
        (fault,) = self.faults
        return fault


@pytest.fixture
def conversation() -> Conversation:
    """One that has a stream that plays, with channel 3 and index 70, and one that records, 4 and 71."""
    conversation = Conversation()
    conversation.say(c.Auth(version=NEWEST), c.AuthReply(version=NEWEST))
    conversation.say(c.SetClientName(proplist={"application.name": b"a program\0"}), c.ClientNamed(index=5))
    conversation.say(PLAY, PLAYS)
    conversation.say(RECORD, RECORDS)
    assert conversation.faults == []
    return conversation


def test_a_life_goes_by_without_a_word(conversation) -> None:
    for message in (
        c.Subscribe(mask=0x2FF),
        c.GetSinkInfo(),
        c.SetSinkInputVolume(index=70, volume=FULL),
        c.SetSourceOutputMute(index=71, muted=True),
        c.UpdatePlaybackStreamProplist(channel=3, mode=2, proplist={"media.title": "Für Elise".encode() + b"\0"}),
        c.CorkPlaybackStream(channel=3, cork=True),
    ):
        conversation.say(message, c.Ack())
    conversation.send(sound_head(3, 4000) + bytes(4000))
    conversation.send(sound_head(3, 4, 1, -400) + bytes(4))
    conversation.say(c.DeletePlaybackStream(channel=3), c.Ack())
    assert conversation.faults == []
    assert conversation.said["SOUND"] == 2
    assert conversation.said["CORK_PLAYBACK_STREAM"] == 1


def test_a_life_byte_by_byte_is_the_same(conversation) -> None:
    packets = codec.packet(c.CorkPlaybackStream(channel=3, cork=True), 90, NEWEST) + sound_head(3, 8) + bytes(8)
    for position in range(len(packets)):
        conversation.send(packets[position : position + 1])
    conversation.send(packets.replace(struct.pack(">I", 90), struct.pack(">I", 91)))
    assert conversation.faults == []
    assert conversation.said["CORK_PLAYBACK_STREAM"] == conversation.said["SOUND"] == 2


def test_a_stream_that_is_made_before_a_drain_was_begun_is_noted(conversation) -> None:
    conversation.say(c.DrainPlaybackStream(channel=3))
    conversation.say(PLAY)
    assert "may begin to drain" in conversation.noted()


@pytest.mark.parametrize(
    "said", [c.GetPlaybackLatency(channel=3, client_time=(0, 0)), c.DeletePlaybackStream(channel=3)]
)
def test_a_stream_may_be_made_when_a_drain_was_begun(conversation, said) -> None:
    conversation.say(c.DrainPlaybackStream(channel=3))
    conversation.say(said)
    conversation.say(PLAY, PLAYS)
    assert conversation.faults == []


@pytest.mark.parametrize("cls", [cls for cls in every() if cls.CODE not in ALLOWED], ids=lambda cls: cls.__name__)
def test_every_other_command_is_noted(conversation, cls) -> None:
    conversation.send(struct.pack(">5I", 10, NO_TAG, 0, 0, 0) + struct.pack(">cIcI", b"L", cls.CODE, b"L", 90))
    assert conversation.noted().startswith(f"command {cls.CODE}: ")
    assert conversation.said[str(cls.CODE)] == 1


UNLAWFUL: dict[str, Message] = {
    "a sink by its index": replace(PLAY, sink_index=0),
    "a sink nobody wired": replace(PLAY, sink_name="speakers"),
    "a source nobody wired": replace(RECORD, source_name="null.monitor"),
    "what another plays": replace(RECORD, direct_on_input=12),
    "peaks": replace(RECORD, peak_detect=True),
    "passthrough": replace(PLAY, passthrough=True),
    "no PCM": replace(PLAY, formats=[FormatInfo(2, {})]),
    "relative volume": replace(PLAY, relative_volume=True),
    "a format of the future": replace(PLAY, sample_spec=S16._replace(format=13)),
    "no channels": replace(PLAY, sample_spec=S16._replace(channels=0), channel_map=b"", volume=()),
    "no rate": replace(PLAY, sample_spec=S16._replace(rate=0)),
    "another map": replace(PLAY, channel_map=b"\0"),
    "no position": replace(PLAY, channel_map=b"\0\x33"),
    "another volume": replace(PLAY, volume=(VOLUME_NORM,)),
    "no volume": replace(PLAY, volume=(2**31,) * 2),
    "a queue too long": replace(PLAY, tlength=2**22 + 1),
    "a process's number": replace(PLAY, proplist={"application.process.id": b"1\0"}),
    "a filter": replace(PLAY, proplist={"filter.want": b"echo-cancel\0"}),
    "a target": replace(PLAY, proplist={"node.target": b"1\0"}),
    "another's restore id": replace(PLAY, proplist={"module-stream-restore.id": b"sink-input-by-media-role:x\0"}),
    "no text": replace(PLAY, proplist={"media.name": b"\xff\0"}),
    "text without an end": replace(PLAY, proplist={"media.name": b"x"}),
    "an escape": replace(PLAY, proplist={"media.name": b"\x1b[2J\0"}),
    "a text turned round": replace(PLAY, proplist={"media.name": "\u202egpj".encode() + b"\0"}),
    "somebody's volume": c.SetSinkInputVolume(index=71, volume=FULL),
    "somebody's mute": c.SetSourceOutputMute(index=70, muted=True),
    "no stream": c.CorkPlaybackStream(channel=4, cork=True),
    "no record stream": c.FlushRecordStream(channel=3),
    "no mode": c.UpdatePlaybackStreamProplist(channel=3, mode=3, proplist={}),
    "a key": c.RemovePlaybackStreamProplist(channel=3, keys=["filter.want"]),
    "a name": c.SetPlaybackStreamName(channel=3, name="\n"),
    "no rate any more": c.UpdatePlaybackStreamSampleRate(channel=3, rate=0),
    "a rate that is far off": c.UpdatePlaybackStreamSampleRate(channel=3, rate=8000),
    "a rate of no measure": c.UpdatePlaybackStreamSampleRate(channel=3, rate=48_001),
    "a mask": c.Subscribe(mask=0x100),
    "AUTH again": c.Auth(version=NEWEST),
}


@pytest.mark.parametrize("what", UNLAWFUL)
def test_what_may_not_be_asked_for_is_noted(conversation, what) -> None:
    conversation.say(UNLAWFUL[what])
    assert conversation.noted()


@pytest.mark.parametrize("flags", [0x80000000, 0xC0000000])
def test_shared_memory_is_noted(flags) -> None:
    conversation = Conversation()
    conversation.say(c.Auth(version=NEWEST | flags))
    assert "version and flags" in conversation.noted()


def test_nothing_is_said_before_auth() -> None:
    conversation = Conversation()
    conversation.say(c.Stat())
    assert "before AUTH" in conversation.noted()


def test_a_tag_is_used_once_at_a_time(conversation) -> None:
    for _ in range(2):
        conversation.send(codec.packet(c.Stat(), 90, NEWEST))
    assert "tag 90" in conversation.noted()


def test_a_wired_device_may_be_named_and_the_ceiling_holds() -> None:
    conversation = Conversation(Terms(frozenset(("speakers",)), ceiling=VOLUME_NORM // 2))
    conversation.say(c.Auth(version=NEWEST), c.AuthReply(version=NEWEST))
    conversation.say(replace(PLAY, sink_name="speakers", volume=(VOLUME_NORM // 2,) * 2))
    assert conversation.faults == []
    conversation.say(PLAY)
    assert "above the ceiling" in conversation.noted()


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (sound_head(4, 4) + bytes(4), "no playback stream"),
        (sound_head(3, 3) + bytes(3), "in frames of 4"),
        (sound_head(3, 4, 0, 2) + bytes(4), "in frames of 4"),
        (sound_head(3, 4, 4) + bytes(4), "flags"),
        (struct.pack(">5I", 16, 3, 0, 0, 0x80000000) + bytes(16), "flags 0x80000000"),
        (struct.pack(">5I", 0, NO_TAG, 0, 0, 0x40000000), "a packet of 0 bytes"),
        (struct.pack(">5I", 2**24 + 1, 3, 0, 0, 0), "a packet of 16777217 bytes"),
        (struct.pack(">5I", 10, NO_TAG, 0, 1, 0) + struct.pack(">cIcI", b"L", 13, b"L", 90), "and offset 1"),
        (struct.pack(">5I", 11, NO_TAG, 0, 0, 0) + struct.pack(">cIcIc", b"L", 13, b"L", 90, b"N"), "after the last"),
    ],
)
def test_packets_that_no_worker_sends_are_noted(conversation, packet, why) -> None:
    conversation.send(packet)
    assert why in conversation.noted()


def test_sound_after_the_end_of_its_stream_is_noted(conversation) -> None:
    conversation.say(c.DeletePlaybackStream(channel=3))
    conversation.send(sound_head(3, 4) + bytes(4))
    assert "no playback stream" in conversation.noted()
