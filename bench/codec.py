"""`make bench`: what one message costs, in microseconds: the codec, and the whole door of a worker.

Prints Markdown. Each figure is the best of several rounds: what it costs when nothing else has the processor.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable

from eardrum.protocol.catalog import CreatePlaybackStream, GetServerInfo, Request
from eardrum.protocol.codec import encode, packet, read
from eardrum.protocol.conversation import Command, Serving
from eardrum.protocol.message import NEWEST, NO_TAG, Message
from eardrum.server.core import Server
from eardrum.server.effects import Answer
from eardrum.server.events import Asked, Joined, Woke
from eardrum.server.rights import Right
from eardrum.server.views import outlet_view
from eardrum.terms.audio import STEREO, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.names import output_end

ROUNDS = 15
CALLS = 5_000  # in a round
SMALL = Request(channel=1, nbytes=4096)
LARGE = CreatePlaybackStream(
    sample_spec=SampleSpec(SampleFormat.S16LE, 2, 44_100),
    channel_map=STEREO,
    volume=(VOLUME_NORM, VOLUME_NORM),
    tlength=17_640,
    adjust_latency=True,
    proplist={
        "application.name": b"melody\0",
        "application.process.id": b"4711\0",
        "application.process.user": b"user\0",
        "application.process.host": b"golden\0",
        "application.process.binary": b"melody\0",
        "application.language": b"C.UTF-8\0",
        "application.icon_name": b"audio-player\0",
        "media.name": b"A tune of two voices\0",
        "media.role": b"music\0",
    },
)


def microseconds(statement: str, **names: object) -> float:
    """What the statement takes at best; it runs in a loop without a function around it."""
    return min(timeit.repeat(statement, globals=names, number=CALLS, repeat=ROUNDS)) / CALLS * 1e6


def codec(message: Message) -> tuple[float, float]:
    """Decoding and encoding."""
    payload = encode(message, NO_TAG, NEWEST)
    return (
        microseconds("read(cls, payload, 35)", read=read, cls=type(message), payload=payload),
        microseconds("packet(message, tag, 35)", packet=packet, message=message, tag=NO_TAG),
    )


def door() -> Callable[[], object]:
    """From the bytes of GET_SERVER_INFO to the bytes of its answer: packet, decode, judge, answer, encode."""
    core = Server(outlet_view("bench", output_end("null"), None))
    core.handle(Woke(0.0, 0.0))
    core.handle(Joined(1, 0, Right.CONNECT | Right.LOOK | Right.PLAY, NEWEST))
    conversation = Serving(NEWEST)
    data = memoryview(packet(GetServerInfo(), 7, NEWEST))

    def answered() -> bytes:
        (heard,) = conversation.receive(data)
        assert isinstance(heard, Command)
        (effect,) = core.handle(Asked(1, heard.tag, heard.message))
        assert isinstance(effect, Answer)
        return conversation.say(effect.message, effect.tag)

    return answered


def main() -> None:
    print("\n| one message, µs | decode | encode |\n|---|---:|---:|")
    for message in (LARGE, SMALL):
        size = len(encode(message, NO_TAG, NEWEST))
        decoding, encoding = codec(message)
        print(f"| {type(message).__name__}, {size} bytes | {decoding:.2f} | {encoding:.2f} |")
    print("\n| one command, µs | |\n|---|---:|")
    print(f"| GetServerInfo: packet, decode, judge, answer, encode | {microseconds('door()', door=door()):.2f} |")


if __name__ == "__main__":
    main()
