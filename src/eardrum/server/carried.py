"""The carried backend: a stream that is played or recorded upstream. Here is what both directions share; what is said
to the upstream is built anew from what was understood, and only samples pass as they are.

A carried stream has no queue and no clock: requests, underruns and latency are the upstream's, under our numbers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any

from eardrum.protocol.catalog import Ack
from eardrum.protocol.message import Message
from eardrum.server.stream import Tag
from eardrum.terms.errors import PulseError
from eardrum.terms.properties import value

if TYPE_CHECKING:
    from collections.abc import Callable

    from eardrum.server.core import Server
    from eardrum.server.objects import Client, View

    Created = Callable[[Any], Message]  # the upstream's reply to ours


SAID_UPSTREAM = ("media.name", "media.role", "media.title", "media.artist")


class Carried(ABC):
    """What carried streams of both directions share: a number between this core and the upstream's, and questions."""

    server: Server
    client: Client
    wire: int
    number: int
    unanswered: list[Tag]  # what the client asked and the upstream has not answered

    def create(self, tag: Tag, message: Message, created: Created) -> None:
        """Ask the upstream for the stream; `created` turns its reply into ours once the stream has its numbers."""
        self.server.wires.ask(self.wire, self.number, message, partial(self._created, tag, message, created))

    def _created(self, tag: Tag, asked: Message, created: Created, outcome: Message | PulseError) -> None:
        gone = self.client.number not in self.server.clients
        if not isinstance(outcome, asked.ANSWER or Ack):
            self.server.wires.drop(self.number)
            if not gone:
                self.server.refuse(self.client, tag, error_of(outcome))
        elif gone:
            self.end()
        else:
            self.new_attr(outcome)
            self.server.add(self)  # type: ignore[arg-type]
            self.server.answer(self.client, tag, created(outcome))
        self.server.wires.made(self.wire, outcome if isinstance(outcome, PulseError) else None)

    def ask(self, tag: Tag, message: Message) -> None:
        """Ask the upstream what the client asked; its answer is the answer."""
        self.unanswered.append(tag)
        self.server.wires.ask(self.wire, self.number, message, partial(self._answered, tag))

    def _answered(self, tag: Tag, outcome: Message | PulseError) -> None:
        if tag in self.unanswered:  # else the stream ended meanwhile
            self.unanswered.remove(tag)
            self.answered(tag, outcome)

    def refuse_unanswered(self) -> None:
        """The stream ends: there is nothing any more that was asked about."""
        for tag in self.unanswered:
            self.server.refuse(self.client, tag, PulseError.NOENTITY)
        self.unanswered.clear()

    @abstractmethod
    def answered(self, tag: Tag, outcome: Message | PulseError) -> None: ...

    @abstractmethod
    def new_attr(self, message: Any) -> None:
        """Take over the buffer metrics that the upstream names."""

    @abstractmethod
    def end(self) -> None: ...


def upstream_proplist(view: View, proplist: dict[str, bytes]) -> dict[str, bytes]:
    """What the upstream is told of a stream: the outlet's name, and of the client's words only what the sound is.

    The restore id is the outlet's, so that a program in a container neither takes over nor moves the levels that the
    upstream remembers for a program of the same name outside.
    """
    told = {key: proplist[key] for key in SAID_UPSTREAM if key in proplist}
    return {
        **told,
        "application.name": value(view.name),
        "application.id": value(f"eardrum.{view.name}"),
        "module-stream-restore.id": value(f"eardrum-{view.name}"),
    }


def error_of(outcome: Message | PulseError) -> PulseError:
    """The error to pass on; a reply of the wrong kind is the upstream's fault."""
    return outcome if isinstance(outcome, PulseError) else PulseError.PROTOCOL
