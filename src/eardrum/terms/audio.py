"""How sound is described: formats, rates, channels, volumes and the buffer metrics of a stream.

Numbers and limits are those of the native protocol (PulseAudio 16.1).
"""

from __future__ import annotations

import enum
from typing import NamedTuple

MAX_CHANNELS = 32
MAX_RATE = 387_840  # Hz: 384 000 plus the 1 % that a variable-rate stream may exceed it by
MAX_QUEUE = 4 * 1024 * 1024  # bytes: the longest queue a stream may ask for
Samples = bytes | bytearray | memoryview  # sound in some sample spec, as bytes
INVALID = 0xFFFFFFFF  # "none" or "you choose" wherever the protocol has a u32


class SampleFormat(enum.IntEnum):
    """Sample formats by their number on the wire."""

    U8 = 0
    ALAW = 1
    ULAW = 2
    S16LE = 3
    S16BE = 4
    FLOAT32LE = 5
    FLOAT32BE = 6
    S32LE = 7
    S32BE = 8
    S24LE = 9
    S24BE = 10
    S24_32LE = 11
    S24_32BE = 12


SAMPLE_BYTES = (1, 1, 1, 2, 2, 4, 4, 4, 4, 3, 3, 4, 4)  # by format number
SILENCE_BYTE = (0x80, 0xD5, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
FORMAT_NAMES = (
    "u8", "alaw", "ulaw", "s16le", "s16be", "float32le", "float32be",
    "s32le", "s32be", "s24le", "s24be", "s24-32le", "s24-32be",
)  # fmt: skip


class SampleSpec(NamedTuple):
    """Format, channels and rate (Hz) of a stream; what came from the wire may be invalid, so ask `valid`."""

    format: int
    channels: int
    rate: int

    def __str__(self) -> str:
        name = FORMAT_NAMES[self.format] if self.format < len(FORMAT_NAMES) else f"format{self.format}"
        return f"{name}/{self.channels}/{self.rate}"

    @property
    def valid(self) -> bool:
        return (
            0 <= self.format < len(FORMAT_NAMES)
            and 1 <= self.channels <= MAX_CHANNELS
            and 1 <= self.rate <= MAX_RATE
        )  # fmt: skip

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame."""
        return SAMPLE_BYTES[self.format] * self.channels

    @property
    def silence(self) -> int:
        """The byte that, repeated, is silence."""
        return SILENCE_BYTE[self.format]

    def usec(self, nbytes: int) -> int:
        """Duration of `nbytes` in µs, rounded down in each step as PulseAudio does."""
        return nbytes // self.frame_bytes * 1_000_000 // self.rate

    def bytes_for(self, usec: int) -> int:
        """Whole frames that fit into `usec` µs, in bytes, rounded down."""
        return usec * self.rate // 1_000_000 * self.frame_bytes

    def bytes_for_up(self, usec: int) -> int:
        """As `bytes_for`, rounded up."""
        return -(-usec * self.rate // 1_000_000) * self.frame_bytes


class BufferAttr(NamedTuple):
    """The buffer metrics of a stream in bytes, under their wire names.

    maxlength  the longest the queue may become
    tlength    how full the server wants the queue: what it asks the client for
    prebuf     how full the queue must be before playback starts
    minreq     the server asks for no less than this at once
    fragsize   record streams: how much is sent at once
    """

    maxlength: int = INVALID
    tlength: int = INVALID
    prebuf: int = INVALID
    minreq: int = INVALID
    fragsize: int = INVALID

    def bounded(self) -> BufferAttr:
        """The same with nothing longer than a queue may be, which is what comes of it anyway."""
        return BufferAttr(*(nbytes if nbytes == INVALID else min(nbytes, MAX_QUEUE) for nbytes in self))


class Position(enum.IntEnum):
    """Channel positions that this code names; the others are only numbers to it."""

    MONO = 0
    FRONT_LEFT = 1
    FRONT_RIGHT = 2
    FRONT_CENTER = 3
    REAR_CENTER = 4
    REAR_LEFT = 5
    REAR_RIGHT = 6
    LFE = 7
    SIDE_LEFT = 10
    SIDE_RIGHT = 11
    AUX0 = 12


POSITIONS = 51  # the first number that is no position
ChannelMap = bytes  # one position per channel
MONO: ChannelMap = bytes((Position.MONO,))
STEREO: ChannelMap = bytes((Position.FRONT_LEFT, Position.FRONT_RIGHT))


def valid_map(channel_map: ChannelMap, channels: int) -> bool:
    """True if the map has one known position for each of `channels`."""
    return len(channel_map) == channels and all(position < POSITIONS for position in channel_map)


VOLUME_MUTED = 0
VOLUME_NORM = 0x10000  # 100 %, 0 dB
VOLUME_MAX = 0x7FFFFFFF
Volume = tuple[int, ...]  # one level per channel, VOLUME_NORM is 100 %


def valid_volume(volume: Volume) -> bool:
    """True for 1 to 32 channels, each at most VOLUME_MAX."""
    return 1 <= len(volume) <= MAX_CHANNELS and all(level <= VOLUME_MAX for level in volume)


def linear(level: int) -> float:
    """The factor that samples are multiplied with: the scale is cubic, VOLUME_NORM gives 1.0."""
    return (level / VOLUME_NORM) ** 3


def level(factor: float) -> int:
    """The inverse of `linear`, rounded, at most VOLUME_MAX."""
    return min(VOLUME_MAX, round(float(factor ** (1 / 3)) * VOLUME_NORM))


def multiply(one: Volume, other: Volume) -> Volume:
    """Two volumes in series; a volume of one channel counts for all channels of the other."""
    if len(one) == 1:
        one = one * len(other)
    if len(other) == 1:
        other = other * len(one)
    return tuple(min(VOLUME_MAX, (a * b + VOLUME_NORM // 2) // VOLUME_NORM) for a, b in zip(one, other, strict=True))
