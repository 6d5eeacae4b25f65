"""What one outlet may use. Every limit of this kind is here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

import msgspec

from eardrum.terms.errors import Complaint

Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Bytes = Annotated[int, msgspec.Meta(ge=0, le=1 << 40)]
Rate = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=1_000_000)]  # the kernel waits no longer than some weeks

Said = dict[str, int | float]  # limits by their names, as a person sets some of them


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The limits of an outlet."""

    connections: Count = 256  # at once; one more is closed as soon as it comes
    strangers: Count = 256  # connections that have not said AUTH; of more the oldest is closed
    auth_seconds: Seconds = 10.0  # for a new connection to say AUTH
    packet_seconds: Seconds = 30.0  # for a packet that has begun to be whole, as long as its sender is read from
    unread_bytes: Bytes = 65_536  # that a client has not read; with more it is not read from
    pending_bytes: Bytes = 8_388_608  # that all such clients have not read; with more the worst of them is closed
    commands_per_second: Rate = 5_000  # of one connection, in the long run; what is more is read later
    commands_at_once: Rate = 20_000  # of one connection that has been quiet before
    events_per_second: Count = 256  # that a subscriber is told; what is more is put together, one event an object
    unanswered: Count = 1_024  # commands of one connection whose answer is still to come; one more is refused
    streams: Count = 256  # into one sink, and out of one source; one more is refused
    sound_bytes: Bytes = 134_217_728  # in queues, resamplers and recordings of all streams; a stream more is refused
    unread_sound_bytes: Bytes = 524_288  # recorded for one connection that does not read; what is more is lost
    samples: Count = 256  # in the sample cache, with those being uploaded
    sample_bytes: Bytes = 4_194_304  # in the sample cache, with those being uploaded
    modules: Count = 64  # emulated ones that are loaded
    module_streams: Count = 256  # of all emulated modules
    upstream_connections: Annotated[int, msgspec.Meta(ge=1, le=8)] = 4  # of each wire to the host's server
    answer_seconds: Seconds = 30.0  # for an answer of that server; without it the server is given up

    def but(self, said: Mapping[str, int | float]) -> Budget:
        """This budget with some limits as `said`. Raises Complaint."""
        try:
            return msgspec.convert(msgspec.to_builtins(self) | dict(said), Budget)
        except msgspec.ValidationError as error:
            raise Complaint(f"budget: {error}; limits are {', '.join(self.__struct_fields__)}", status=2) from None


USUAL = Budget()
SERVE = Budget(
    connections=2_000,
    auth_seconds=60.0,
    commands_per_second=1_000_000_000,
    commands_at_once=1_000_000_000,
    events_per_second=1_000_000,
    sample_bytes=67_108_864,
    sound_bytes=1 << 30,
    unread_sound_bytes=1 << 30,
)
ROOM = Budget(commands_per_second=1_000_000_000, commands_at_once=1_000_000_000)  # each outlet has its own before


def parsed(limits: Iterable[str]) -> Said:
    """Limits as a person types them, `streams=16`. Raises Complaint."""
    said: Said = {}
    for limit in limits:
        name, _, value = limit.partition("=")
        try:
            said[name] = float(value) if "." in value else int(value)
        except ValueError:
            raise Complaint(f"budget {limit!r}: say NAME=NUMBER, as streams=16", status=2) from None
    USUAL.but(said)
    return said
