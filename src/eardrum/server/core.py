"""The core of a worker: events in, effects out. It knows time only as the last `Woke` told it."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Any

from eardrum.protocol.catalog import Ack, Change, Facility, SubscribeEvent
from eardrum.protocol.message import Message
from eardrum.server import answers, knob, levels
from eardrum.server.admission import Strangers
from eardrum.server.effects import (
    Answer,
    Effect,
    Finish,
    HangUp,
    KeepLevel,
    Refuse,
    Tell,
    WakeMe,
)
from eardrum.server.events import (
    OWN_VIEW,
    Asked,
    Brought,
    Clogged,
    Event,
    Joined,
    Left,
    Opened,
    Passed,
    Rewired,
    Sound,
    Turned,
    Unclogged,
    UpstreamAnswered,
    UpstreamDevice,
    UpstreamLost,
    UpstreamReady,
    UpstreamRefused,
    UpstreamSound,
    UpstreamTold,
    Woke,
)
from eardrum.server.far_ends import FarEnds
from eardrum.server.formats import refitted
from eardrum.server.handover import hand_over
from eardrum.server.knob import Knob
from eardrum.server.mixed import Buses
from eardrum.server.objects import Client, Sink, Source, View
from eardrum.server.playback import SinkInput
from eardrum.server.routing import note_running, rescue
from eardrum.server.rules import judge
from eardrum.server.stream import Stream
from eardrum.server.views import MakeView
from eardrum.server.wires import Wires
from eardrum.terms.audio import INVALID, STEREO
from eardrum.terms.budget import USUAL, Budget
from eardrum.terms.errors import PulseError, Refused


class Server:
    """All views of one worker.

    `make_view(number, buses)` is asked when the first connection of a view joins. The buses whose numbers are in
    `writes_file` have a file at their end. `knobs` are those of the wires at the start, `budget` is that of each view.
    """

    def __init__(
        self,
        make_view: MakeView,
        *,
        writes_file: Container[int] = (),
        knobs: Sequence[Knob] = knob.USUAL,
        budget: Budget = USUAL,
    ) -> None:
        self.effects: list[Effect] = []
        self.now = 0.0  # seconds
        self.buses = Buses(self.effects, writes_file)
        self.clients: dict[int, Client] = {}
        self.views: dict[int, View] = {}
        self.budget = budget
        self.strangers = Strangers(budget)
        self.knobs = [*knobs]
        self._make_view = make_view
        self._wall = 0.0
        self._due: float | None = None
        self.wires = Wires(self)
        self._behind: dict[int, Client] = {}  # those who will be told more at `_behind_due`, in seconds
        self._behind_due = 0.0
        self._far_ends = FarEnds()
        self._token_numbers = 0
        self._opening: dict[int, Callable[[str | None], None]] = {}  # token to what is told of why it failed
        self._reactions: dict[type, Callable[[Any], None]] = {
            Sound: self._sound,
            Brought: self._brought,
            UpstreamSound: self.wires.sound,
            Woke: self._woke,
            Passed: lambda event: self.passed(event.now, event.wall),
            Asked: self._asked,
            UpstreamTold: self.wires.told,
            UpstreamAnswered: lambda event: self.wires.answered(event.token, event.message),
            UpstreamRefused: lambda event: self.wires.answered(event.token, event.error),
            Joined: self._joined,
            Left: self._left,
            Clogged: lambda event: self._clogged(event.client, True),
            Unclogged: lambda event: self._clogged(event.client, False),
            UpstreamReady: self.wires.ready,
            UpstreamLost: self.wires.lost,
            UpstreamDevice: self._learnt,
            Rewired: self._rewired,
            Turned: lambda event: levels.turn(self, event.wire, event.volume, event.muted),
            Opened: lambda event: self._opening.pop(event.token)(event.why),
        }

    def handle(self, event: Event) -> list[Effect]:
        """What the event leads to, to be carried out in this order and before the next event."""
        self._reactions[type(event)](event)
        for view in self.views.values():
            if view.changes:
                self._tell_changes(view)
        due = self.buses.due
        if self.strangers.until:
            due = min(at for at in (due, self.strangers.due) if at is not None)
        if self.wires.due is not None and (due is None or self.wires.due < due):
            due = self.wires.due
        if self._behind and (due is None or self._behind_due < due):
            due = self._behind_due
        if due != self._due:
            self._due = due
            self.effects.append(WakeMe(due))
        effects = self.effects[:]
        self.effects.clear()
        return effects

    def passed(self, now: float, wall: float) -> None:
        """As `Woke`, before anything is due."""
        self.now, self._wall = now, wall

    def view(self, number: int) -> View:
        """The view with this number; it is made when it is first asked for."""
        if number not in self.views:
            view = self.views[number] = self._make_view(number, self.buses)
            view.budget = self.budget
            for device in (*view.sinks.values(), *view.sources.values()):
                if device.wire is not None:
                    device.turn(self.knobs[device.wire])
            self._far_ends.show(view)
            self._let_guests_hear()
        return self.views[number]

    # -- what happens

    def _woke(self, event: Woke) -> None:
        self.passed(event.now, event.wall)
        self.buses.advance(self.now)
        self.wires.woke()
        if self.strangers.until:
            self._send_strangers_away()
        if self._behind and self.now >= self._behind_due:
            self._tell_more()

    def _send_strangers_away(self) -> None:
        for number in self.strangers.overdue(self.now):
            self.effects.append(HangUp(number, "did not authenticate in time"))

    def _joined(self, event: Joined) -> None:
        view = self.view(event.view)
        client = Client(event.client, view.number_for("client"), view, event.rights, event.version, event.entry)
        if not event.version and (event.entry is None or not event.entry.door.anonymous):
            self.strangers.came(event.client, self.now)
            self._send_strangers_away()
        self.clients[event.client] = view.clients[client.index] = client
        view.changed(Facility.CLIENT, Change.NEW, client.index)

    def _left(self, event: Left) -> None:
        client = self.clients.pop(event.client, None)
        if client is None:
            return
        self.strangers.known(event.client)
        for playing in tuple(client.playback.values()):
            self.remove(playing)
        for recording in tuple(client.record.values()):
            self.remove(recording)
        view = client.view
        del view.clients[client.index]
        view.changed(Facility.CLIENT, Change.REMOVED, client.index)
        if not view.clients and view.number != OWN_VIEW:
            for sample in tuple(view.sink_inputs.values()):
                self.remove(sample)  # nobody could end it any more
            del self.views[view.number]

    def _rewired(self, event: Rewired) -> None:
        self._far_ends.rewired(event)
        self._show_far_ends()
        self.wires.rewired(event)
        for view in self.views.values():
            hand_over(self, view)

    def _learnt(self, event: UpstreamDevice) -> None:
        self._far_ends.learnt(event)
        self._show_far_ends()

    def _show_far_ends(self) -> None:
        for view in self.views.values():
            self._far_ends.show(view)

    def _asked(self, event: Asked) -> None:
        client = self.clients.get(event.client)
        if client is None:
            return
        client.unanswered += 1
        try:
            points = judge(client, event.message)
            if points is None:
                self.effects.append(HangUp(client.number, f"{type(event.message).__name__} is not for clients to say"))
                return
            if client.unanswered > self.budget.unanswered:
                raise Refused(PulseError.TOOLARGE, f"{self.budget.unanswered} commands wait for their answer")
            answer = answers.ANSWERS.get(type(event.message))
            if answer is None:
                raise Refused(PulseError.NOTSUPPORTED, f"{type(event.message).__name__} does nothing here")
            reply = answer(self, client, event.tag, event.message, *points)
        except Refused as refusal:
            self.refuse(client, event.tag, refusal.error, refusal.why)
            return
        if reply is not None:
            self.answer(client, event.tag, reply)

    def _sound(self, event: Sound) -> None:
        client = self.clients.get(event.client)
        if client is None:
            return
        stream = client.playback.get(event.channel) or client.uploads.get(event.channel)
        if stream is not None:
            stream.sound(event)

    def _brought(self, event: Brought) -> None:
        for sound in event.sounds:
            self._sound(sound)

    def _clogged(self, number: int, clogged: bool) -> None:
        client = self.clients.get(number)
        if client is not None:
            client.clogged = clogged
            if not clogged:
                self._tell_events(client)
                for playing in client.playback.values():
                    playing.unclogged()
                for recording in client.record.values():
                    recording.unclogged()

    # -- what the answers and streams say

    def have_opened(self, wanted: Callable[[int], Effect], done: Callable[[str | None], None]) -> None:
        """Have the world open what `wanted`, given a token, asks for; `done` gets why it failed, or None."""
        self._token_numbers += 1
        self._opening[self._token_numbers] = done
        self.effects.append(wanted(self._token_numbers))

    def answer(self, client: Client, tag: int, message: Message) -> None:
        client.unanswered -= 1
        self.effects.append(Answer(client.number, tag, message))

    def refuse(self, client: Client, tag: int, error: PulseError, why: str = "") -> None:
        client.unanswered -= 1
        self.effects.append(Refuse(client.number, tag, error, why))

    def tell(self, client: Client, message: Message) -> None:
        """Say something unasked, unless the client is too old to know it."""
        if client.version >= message.SINCE:
            self.effects.append(Tell(client.number, message))

    def hang_up(self, client: Client, why: str) -> None:
        self.effects.append(HangUp(client.number, why))

    def finish(self) -> Ack:
        """The server ends when this is answered."""
        self.effects.append(Finish())
        return Ack()

    def keep_level(self, view: View, wire: int, device: Sink | Source) -> None:
        """The level of a device of the outlet must outlast this worker; a room keeps none."""
        if view.number == OWN_VIEW:
            volume = refitted(device.volume, device.channel_map, STEREO)
            self.effects.append(KeepLevel(wire, volume, device.muted))

    def wall_time(self) -> tuple[int, int]:
        """Seconds since 1970 and microseconds, as the wire has them."""
        seconds = int(self._wall)
        return seconds & INVALID, int((self._wall - seconds) * 1e6)

    # -- objects

    def add(self, stream: Stream) -> None:
        """Show a new stream in its view and give it its number on the connection."""
        stream.announce()
        note_running(stream.client.view)
        self.let_echo()

    def remove(self, stream: Stream) -> None:
        """End a stream and take it out of its view; who recorded it alone has nothing to record any more."""
        stream.end()
        view = stream.client.view
        note_running(view, gone=stream)
        stream.withdraw()
        for record in tuple(view.source_outputs.values()):
            if record.only is stream:
                self.kill(record)
        self.let_echo()

    def let_echo(self) -> None:
        """Carried streams are played here as well while somebody records what the outlet plays."""
        listened = any(
            stream.source.bus is self.buses.output
            for view in self.views.values()
            for stream in view.source_outputs.values()
        )
        for stream in self.wires.playing():
            stream.listened(listened)

    def remove_sink(self, view: View, sink: Sink) -> None:
        """Take a sink away; what plays into it goes to the default sink, or is ended."""
        if view.sinks.pop(sink.index, None):
            view.changed(Facility.SINK, Change.REMOVED, sink.index)
        rescue(self, view, sink)

    def remove_source(self, view: View, source: Source) -> None:
        """Take a source away; what records from it goes on with the default source, or is ended."""
        if view.sources.pop(source.index, None):
            view.changed(Facility.SOURCE, Change.REMOVED, source.index)
        rescue(self, view, source)

    def kill(self, stream: Stream) -> None:
        """End a stream against its client's will and say so."""
        stream.tell_killed()
        self.remove(stream)

    def stream_changed(self, stream: Stream) -> None:
        facility = Facility.SINK_INPUT if isinstance(stream, SinkInput) else Facility.SOURCE_OUTPUT
        stream.client.view.changed(facility, Change.CHANGED, stream.index)
        note_running(stream.client.view)

    @property
    def keeps_something(self) -> bool:
        """Programs have made what must outlast them: samples, modules."""
        return any(view.samples or view.modules for view in self.views.values())

    def count_streams(self) -> tuple[int, int]:
        """How many streams play and how many record; corked ones do neither, nor do those of modules."""
        views = self.views.values()
        playing = sum(_counts(stream) for view in views for stream in view.sink_inputs.values())
        recording = sum(_counts(stream) for view in views for stream in view.source_outputs.values())
        return playing, recording

    def _let_guests_hear(self) -> None:
        """Guests hear the default sink of the outlet: a program may have made another one the default."""
        own = self.views.get(OWN_VIEW)
        sink = own.default_sink if own else None
        bus = self.buses.output if sink is None or sink.bus is None else sink.bus
        for source in (source for view in self.views.values() for source in view.sources.values() if source.follows):
            if source.bus is not bus:
                source.bus = bus
                for stream in (stream for view in self.views.values() for stream in view.source_outputs.values()):
                    if stream.source is source:
                        stream.move(source)
                self.let_echo()

    def _tell_changes(self, view: View) -> None:
        for facility, change, index in view.changes.take():
            if facility is Facility.SERVER:
                self._let_guests_hear()
            for client in view.clients.values():
                if client.mask >> facility & 1:
                    client.untold.note(facility, change, index)
                    self._tell_events(client)

    def _tell_events(self, client: Client) -> None:
        """Tell a subscriber what changed, but in a second no more than it may hear; the rest is put together."""
        if client.clogged:
            return
        if self.now >= client.quiet_at:
            client.events, client.quiet_at = 0, self.now + 1.0
        if most := max(0, self.budget.events_per_second - client.events):
            for facility, change, index in client.untold.take(most):
                client.events += 1
                self.tell(client, SubscribeEvent(event=facility | change, index=index))
        if client.untold and client.number not in self._behind:
            self._behind_due = min(self._behind_due, client.quiet_at) if self._behind else client.quiet_at
            self._behind[client.number] = client

    def _tell_more(self) -> None:
        behind, self._behind = self._behind, {}
        for client in behind.values():
            if client.number in self.clients:
                self._tell_events(client)


def _counts(stream: Stream) -> bool:
    return not stream.corked and stream.module is None
