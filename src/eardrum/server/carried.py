"""The carried backend: a stream that is played or recorded upstream. Here is what both directions share; what is said
to the upstream is built anew from what was understood, and only samples pass as they are.

While its upstream is there, a carried stream has no queue and no clock: requests, underruns and latency are the
upstream's, under our numbers. While there is none, a stand-in on this worker's bus has both, and all that the client
asks is put to it; with the next upstream the stream is made anew, and goes on where the stand-in is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from eardrum.protocol.catalog import Stat
from eardrum.protocol.message import Message
from eardrum.server.effects import NO_STREAM
from eardrum.server.stream import Tag
from eardrum.terms.errors import PulseError, Refused
from eardrum.terms.rates import near

if TYPE_CHECKING:
    from collections.abc import Callable

    from eardrum.server.core import Server
    from eardrum.server.objects import Client

OWN_FAULTS = (PulseError.INVALID, PulseError.NOTSUPPORTED)  # of what a client asks for; no other upstream says better


@dataclass(eq=False, slots=True)
class Question:
    """What a client asked and the upstream has not answered; `again` puts it to a stand-in."""

    tag: Tag
    again: Callable[[Any], None]
    written: int  # bytes that the client had written by then


class Carried(ABC):
    """What carried streams of both directions share: a number between this core and the upstream's, and questions."""

    server: Server
    client: Client
    wire: int
    channel: int
    MADE: type[Message]  # the upstream's reply when it has made the stream

    def __init__(self, server: Server) -> None:
        self.number = server.wires.carry(self)
        self.unanswered: list[Question] = []
        self.due: float | None = None  # when the upstream may be asked for it again, in seconds
        self.ended = False
        self._attempt = 0  # how often the upstream was asked for it, or was lost
        self._asked = False  # and has not answered yet

    # -- making it

    def make(self) -> None:
        """There is an upstream: have it make the stream."""
        self._attempt += 1
        self._asked = True
        self.due = None
        self.server.wires.ask(self.wire, self.number, self.wish(), partial(self._outcome, self._attempt))

    def _outcome(self, attempt: int, outcome: Message | PulseError) -> None:
        if attempt != self._attempt:
            return
        self._asked = False
        if not isinstance(outcome, self.MADE):
            self._refused(error_of(outcome))
        elif self.gone:
            self.server.wires.drop(self.number)
            self.delete()
        else:
            self.made(outcome)
        self.server.wires.made(self.wire, outcome if isinstance(outcome, PulseError) else None)

    def _refused(self, error: PulseError) -> None:
        if self.gone or (self.channel < 0 and error in OWN_FAULTS):
            self.give_up(error)
            return
        if self.channel < 0:
            self.stand_in_afresh()
        self.server.wires.begin_later(self)

    def lost(self, error: PulseError) -> None:
        """Its upstream is gone, or cannot be had."""
        self._attempt += 1
        self._asked = False
        self.due = None
        if self.gone:
            self.give_up(error)
        elif self.channel < 0:
            self.stand_in_afresh()
        else:
            self.stand_in_for_upstream()

    def give_up(self, error: PulseError) -> None:
        """There will be no such stream."""
        self.server.wires.drop(self.number)

    def killed(self) -> None:
        """The upstream says that it has ended the stream. A server that ends does so too, before it is gone."""
        self.server.wires.ask(self.wire, NO_STREAM, Stat(), self._killed)

    def _killed(self, outcome: Message | PulseError) -> None:
        if not isinstance(outcome, PulseError) and not self.ended:
            self.server.kill(self)  # type: ignore[arg-type]

    @property
    def gone(self) -> bool:
        """Nobody waits for it any more."""
        return self.ended or (self.channel < 0 and self.client.number not in self.server.clients)

    # -- questions

    def other_rate(self, made: int, rate: int) -> int:
        """What to ask for when a client wants another rate (Hz) than its stream was made with; a stand-in takes any.

        Raises Refused.
        """
        if self.stood_in is not None:
            return rate
        stepped = near(made, rate)
        if stepped is None:
            raise Refused(PulseError.NOTSUPPORTED, f"{rate} Hz is too far from {made} Hz for what is carried")
        return stepped

    def put(self, tag: Tag, message: Message, again: Callable[[Any], None]) -> None:
        """Ask the upstream what the client asked, its answer is the answer; or the stand-in, by `again`."""
        if self.stood_in is not None:
            again(self.stood_in)
            return
        question = Question(tag, again, self.written)
        self.unanswered.append(question)
        self.server.wires.ask(self.wire, self.number, message, partial(self._answered, question))

    def _answered(self, question: Question, outcome: Message | PulseError) -> None:
        if question in self.unanswered:  # else the stream ended meanwhile, or its upstream
            self.unanswered.remove(question)
            self.answered(question, outcome)

    def put_again(self) -> None:
        """What the lost upstream has not answered, its stand-in must."""
        questions, self.unanswered = self.unanswered, []
        for question in questions:
            try:
                question.again(self.stood_in)
            except Refused as refusal:
                self.server.refuse(self.client, question.tag, refusal.error, refusal.why)

    def refuse_unanswered(self) -> None:
        """The stream ends: there is nothing any more that was asked about."""
        for question in self.unanswered:
            self.server.refuse(self.client, question.tag, PulseError.NOENTITY)
        self.unanswered.clear()

    @property
    @abstractmethod
    def stood_in(self) -> Any:
        """Its stand-in; None while the upstream has it."""

    @property
    @abstractmethod
    def written(self) -> int:
        """Bytes that the client has written."""

    @property
    @abstractmethod
    def active(self) -> bool:
        """The upstream plays or records it, or was asked to make it, and so has something to say."""

    @abstractmethod
    def wish(self) -> Any:
        """What to ask an upstream for, as things are now."""

    @abstractmethod
    def made(self, reply: Any) -> None:
        """The upstream has it."""

    @abstractmethod
    def delete(self) -> None:
        """Have the upstream forget it."""

    @abstractmethod
    def stand_in_afresh(self) -> None:
        """There is no upstream for a new stream: its client gets one that is stood in for."""

    @abstractmethod
    def stand_in_for_upstream(self) -> None:
        """The upstream has it no more."""

    @abstractmethod
    def upstream_told(self, message: Message) -> None:
        """The upstream says something about it unasked."""

    @abstractmethod
    def answered(self, question: Question, outcome: Message | PulseError) -> None:
        """The upstream answers what the client asked."""


def error_of(outcome: Message | PulseError) -> PulseError:
    """The error to pass on; a reply of the wrong kind is the upstream's fault."""
    return outcome if isinstance(outcome, PulseError) else PulseError.PROTOCOL
