"""All that can happen to a server core. With `effects.py` this is the whole border between the core and the world.

Numbers: `client` is one connection, `view` one outlet (a worker of an outlet has one view, a room has one per outlet),
`wire` is OUTPUT or INPUT, `stream` is the core's own number of a carried stream, `token` ties an upstream answer to
what was asked. Sound is bytes in the stream's own sample spec; it may be overwritten once `handle` has returned.
"""

from __future__ import annotations

from dataclasses import dataclass

from eardrum.protocol.message import Message
from eardrum.server.admission import Entry
from eardrum.server.rights import Right
from eardrum.terms.audio import ChannelMap, SampleSpec
from eardrum.terms.errors import PulseError
from eardrum.terms.names import WireEnd

OUTPUT = 0
INPUT = 1
OWN_VIEW = 0  # the one view of an outlet's worker; the views of a room have the numbers of the outlets


@dataclass(slots=True)
class Woke:
    """Time has passed, and the buses go on. Comes in every wake-up, first or after `Passed`; the events after it happen
    at the same `now`.
    """

    now: float  # seconds, never goes back
    wall: float  # seconds since 1970, only echoed to clients


@dataclass(slots=True)
class Passed:
    """Time has passed, but the buses wait for what clients have sent meanwhile: that comes next, and then `Woke`."""

    now: float
    wall: float


@dataclass(slots=True)
class Joined:
    """A connection was made. One that the desk vouches for speaks `version` at once; with 0 it must say AUTH first.

    With an `entry` AUTH is judged; without, whoever holds the socket is let in.
    """

    client: int
    view: int
    rights: Right
    version: int = 0
    entry: Entry | None = None


@dataclass(slots=True)
class Left:
    """A connection is gone."""

    client: int


@dataclass(slots=True)
class Asked:
    """A client said a well-formed command."""

    client: int
    tag: int
    message: Message


@dataclass(slots=True)
class Sound:
    """A client sent samples for one of its streams.

    A packet longer than the reader's piece comes in several events: the first has `first` set and carries `seek` and
    `offset` (bytes), the others continue it. `total` is the length of the whole packet.
    """

    client: int
    channel: int
    seek: int
    offset: int
    data: memoryview
    first: bool = True
    total: int = 0


@dataclass(slots=True)
class Brought:
    """What several clients have sent since the last wake-up, at once."""

    sounds: list[Sound]


@dataclass(slots=True)
class Clogged:
    """A client does not read: nothing more can be sent to it for now."""

    client: int


@dataclass(slots=True)
class Unclogged:
    client: int


@dataclass(slots=True)
class UpstreamReady:
    wire: int


@dataclass(slots=True)
class UpstreamLost:
    """The upstream of this wire could not be reached yet; or it is `over`, and nobody looks for another unasked."""

    wire: int
    error: PulseError
    over: bool = False


@dataclass(slots=True)
class Rewired:
    """This wire leads somewhere else from now on: host, room, or nowhere (null, silence). What was connected to it is
    over, which `UpstreamLost` tells next. A wire that led to a file, a FIFO or a device is never rewired.
    """

    wire: int
    end: WireEnd


@dataclass(slots=True)
class UpstreamDevice:
    """The device at the end of this wire is made like this; comes first when it is known, and when it is another."""

    wire: int
    spec: SampleSpec
    channel_map: ChannelMap


@dataclass(slots=True)
class UpstreamAnswered:
    """The reply to `Reissue(token=…)`; numbers of streams in it are the upstream's and must not be shown."""

    token: int
    message: Message


@dataclass(slots=True)
class UpstreamRefused:
    token: int
    error: PulseError


@dataclass(slots=True)
class UpstreamTold:
    """The upstream said something about a carried stream without being asked: REQUEST, UNDERFLOW, …"""

    stream: int
    message: Message


@dataclass(slots=True)
class UpstreamSound:
    """Samples for a carried record stream."""

    stream: int
    data: memoryview


@dataclass(slots=True)
class Turned:
    """The person has set volume and mute of this wire."""

    wire: int
    volume: int
    muted: bool


@dataclass(slots=True)
class Opened:
    """What `OpenFifo` or `Listen` led to; `why` tells a person what failed, or is None."""

    token: int
    why: str | None = None


Event = (
    Woke | Passed | Joined | Left | Asked | Sound | Brought | Clogged | Unclogged
    | UpstreamReady | UpstreamLost | UpstreamAnswered | UpstreamRefused | UpstreamTold | UpstreamSound | Opened
    | UpstreamDevice | Rewired | Turned
)  # fmt: skip
