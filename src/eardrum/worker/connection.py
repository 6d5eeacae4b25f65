"""One client of a worker: its socket, our side of the conversation, and why it is not read from just now."""

from __future__ import annotations

import socket

from eardrum.kernel.link import Link
from eardrum.kernel.loop import READ
from eardrum.protocol.conversation import Command, Serving
from eardrum.protocol.packets import SoundPacket
from eardrum.terms.budget import Budget

BREATH = 0.01  # seconds; who has said too much is read again when it may say as much as it may in this time


class Connection:
    """Times are seconds of the monotonic clock; 0.0 is never."""

    __slots__ = (
        "begun_at", "clogged", "conversation", "ending", "held_up", "late_until", "link", "number", "paced", "quiet_at",
        "quiet_from", "silent", "unheard", "unpaid", "waits_for",
    )  # fmt: skip

    def __init__(self, number: int, connection: socket.socket, conversation: Serving) -> None:
        self.number = number
        self.link = Link(connection)
        self.conversation = conversation
        self.clogged = False
        self.ending = False
        self.unheard: list[Command | SoundPacket] = []  # was read and is to be done in later wake-ups
        self.waits_for = READ
        self.paced = False
        self.quiet_from = 0.0  # when it may be paced
        self.silent = 0  # times that it was read and had said nothing, while paced
        self.held_up = False  # it could say more, but is not read from
        self.begun_at = 0.0  # when the packet began of which the rest has not come
        self.late_until = 0.0  # when it is read again, having said too much
        self.quiet_at = 0.0  # when it may say as much at once as one that was quiet
        self.unpaid = 0  # commands that were answered and are not counted yet

    @property
    def plain(self) -> bool:
        """Nothing of what it said before is still to be done."""
        return not (self.clogged or self.ending or self.unheard or self.paced or self.conversation.reader.begun)

    @property
    def mute(self) -> bool:
        """Nothing can be said to it now."""
        return self.ending or self.link.queued > 0

    def charge(self, commands: int, now: float, budget: Budget) -> bool:
        """It has said so many commands. True: those were too many, and it is read no more before `late_until`."""
        per_second = budget.commands_per_second
        self.quiet_at = max(self.quiet_at, now) + (commands + self.unpaid) / per_second
        self.unpaid = 0
        over = self.quiet_at - now - budget.commands_at_once / per_second
        if over <= 0:
            return False
        self.late_until = now + over + BREATH
        return True

    def note_begun(self, heard: list[Command | SoundPacket], now: float) -> None:
        """A packet has begun, and its end has not come with what was heard last."""
        last = heard[-1] if heard else None
        goes_on = last is None or (
            isinstance(last, SoundPacket) and self.conversation.reader.inside and (len(heard) == 1 or not last.first)
        )
        if not self.begun_at or not goes_on:
            self.begun_at = now


def kept(item: Command | SoundPacket) -> Command | SoundPacket:
    """The item for later: its sound no longer lies in scratch memory."""
    return item._replace(data=memoryview(bytes(item.data))) if isinstance(item, SoundPacket) else item
