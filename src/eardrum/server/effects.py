"""All that a server core wants done. With `events.py` this is the whole border between the core and the world."""

from __future__ import annotations

from dataclasses import dataclass

from eardrum.protocol.message import Message
from eardrum.server.admission import Admission
from eardrum.server.indexes import Indexes
from eardrum.sound.block import Block
from eardrum.terms.audio import Samples, SampleSpec, Volume
from eardrum.terms.errors import PulseError


@dataclass(slots=True)
class Answer:
    """Reply to the command with this tag."""

    client: int
    tag: int
    message: Message


@dataclass(slots=True)
class Refuse:
    """Answer the command with this tag with an error."""

    client: int
    tag: int
    error: PulseError
    why: str = ""


@dataclass(slots=True)
class Tell:
    """Say something to a client unasked."""

    client: int
    message: Message


@dataclass(slots=True)
class OpenShortcut:
    """Whole frames that this client appends on this channel may go to the upstream, and what that asks for to the
    client, without the core; both are counted in `counts`. Nothing may pass while `counts.wanted` is not 0.
    """

    client: int
    channel: int
    wire: int
    stream: int
    frame_bytes: int
    counts: Indexes


@dataclass(slots=True)
class CloseShortcut:
    """From now on the core must know all that passes. Nothing happens if none is open."""

    stream: int


@dataclass(slots=True)
class SendSound:
    """Samples of a record stream for a client."""

    client: int
    channel: int
    data: Samples


@dataclass(slots=True)
class HangUp:
    """End this connection; what was said to it before is still delivered, as far as its client reads."""

    client: int
    why: str


@dataclass(slots=True)
class Finish:
    """A client of a standard server ends it; what was said before is still delivered."""


@dataclass(slots=True)
class WakeMe:
    """Hand in `Woke` at this time (seconds). The newest one counts; None: no need."""

    at: float | None


NO_STREAM = 0  # in place of a stream's number: a question that is about none


@dataclass(slots=True)
class WantUpstream:
    """Carried streams need this wire's upstream connection, or, not `wanted`, do so no more.

    It is needed until `UpstreamReady` comes; `UpstreamLost` before that only tells why it takes longer.
    """

    wire: int
    wanted: bool = True


@dataclass(slots=True)
class Reissue:
    """Say this upstream about a carried stream, or about none. `channel` and `index` in the message are its number.

    With a token the upstream's reply comes back as `UpstreamAnswered` or `UpstreamRefused`.
    """

    wire: int
    stream: int
    token: int | None
    message: Message


@dataclass(slots=True)
class ReissueSound:
    """Samples of a carried playback stream; `seek` and `offset` (bytes) as the client said them."""

    wire: int
    stream: int
    seek: int
    offset: int
    data: Samples


@dataclass(slots=True)
class KeepLevel:
    """A program has moved the volume or mute of the outlet's output or input: keep it beyond this worker's life."""

    wire: int
    volume: Volume
    muted: bool


@dataclass(slots=True)
class WireSays:
    """The upstream of this wire refuses new streams for this reason, or, with None, takes them again."""

    wire: int
    error: PulseError | None


@dataclass(slots=True)
class WriteFile:
    """`silence` frames of silence and then this block of sound go to the file at the end of this bus."""

    bus: int
    silence: int
    block: Block


@dataclass(slots=True)
class OpenFifo:
    """Open the FIFO at this path, which its owner's program named, for the bus with this number.

    `spec` is what its bytes mean, at the bus's rate and channels. With `reads` it is played into the bus, else the
    bus's sound is written to it, all the time. `Opened` follows.
    """

    token: int
    bus: int
    path: str
    spec: SampleSpec
    reads: bool


@dataclass(slots=True)
class Listen:
    """Let clients connect at this path too; a relative one is in the server's runtime directory. `Opened` follows."""

    token: int
    number: int
    path: str
    admission: Admission


@dataclass(slots=True)
class CloseFifo:
    """The bus with this number is gone, and its FIFO is not needed any more."""

    bus: int


@dataclass(slots=True)
class StopListening:
    """Nobody shall connect any more where `Listen` said; who has done so may stay."""

    number: int


Effect = (
    Answer | Refuse | Tell | SendSound | HangUp | Finish | WakeMe | WantUpstream | Reissue | ReissueSound
    | OpenShortcut | CloseShortcut | KeepLevel | WireSays | WriteFile | OpenFifo | Listen | CloseFifo | StopListening
)  # fmt: skip
