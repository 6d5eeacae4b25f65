"""What an outlet asks about the upstream's devices, and which of its record streams may be heard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eardrum.protocol.catalog import (
    Change,
    Facility,
    GetSinkInfo,
    GetSourceInfo,
    SinkInfo,
    SourceInfo,
    Subscribe,
    SubscribeEvent,
)
from eardrum.protocol.message import Message
from eardrum.terms.audio import STEREO, SampleFormat, SampleSpec
from eardrum.upstream.devices import Devices, Shape

SPEC = SampleSpec(SampleFormat.S32LE, 2, 44100)
HOST_ONLY = {"volume": (1, 1), "muted": False, "driver": "card", "description": "Loewe, serial 4711"}
DEFAULT_SOURCE, DEFAULT_SINK = GetSourceInfo(name="@DEFAULT_SOURCE@"), GetSinkInfo(name="@DEFAULT_SINK@")
MIC, MONITOR = 1, 2
BEHIND = 1000  # bytes


def source(index: int, name: str = "mic", monitor_of: int | None = None, **more) -> SourceInfo:
    sink_name = None if monitor_of is None else "speakers"
    fields = {"sample_spec": SPEC, "channel_map": STEREO, **HOST_ONLY, **more}
    return SourceInfo(
        index=index, name=name, monitor_of_sink_index=monitor_of, monitor_of_sink_name=sink_name, **fields
    )


def sink(index: int, spec: SampleSpec = SPEC, channel_map: bytes = STEREO) -> SinkInfo:
    return SinkInfo(index=index, name="speakers", sample_spec=spec, channel_map=channel_map, **HOST_ONLY)


class Host:
    """A server with devices. What it is asked waits until it answers."""

    def __init__(self, records: bool, name: str = "", may_hear: bool = False) -> None:
        self.waits: list[tuple[Message, Callable[[Message | None], None]]] = []
        self.shapes: list[Shape] = []
        self.found: list[bool] = []  # whether the device at the end of the wire is there
        self.says: dict[str, Message | None] = {}  # by question
        self.devices = Devices(records, name, may_hear, self._ask, self.shapes.append, self.found.append)
        self.devices.begin()

    def _ask(self, question: Message, learn: Callable[[Message | None], None]) -> None:
        self.waits.append((question, learn))

    def asked(self) -> list[Message]:
        return [question for question, _ in self.waits]

    def answers(self) -> None:
        """All that it has been asked until now."""
        waits, self.waits = self.waits, []
        for question, learn in waits:
            learn(self.says.get(repr(question)))

    def has(self, question: Message, answer: Message | None) -> None:
        self.says[repr(question)] = answer

    def tells(self, facility: Facility, change: Change = Change.CHANGED, index: int = 0) -> None:
        self.devices.heed(SubscribeEvent(event=facility | change, index=index))

    @property
    def heard(self) -> set[int]:
        return set(self.devices.heard)


@pytest.fixture
def microphone() -> Host:
    """A host whose default source is a microphone, heard by stream 7, and whose speakers have a monitor."""
    host = Host(records=True)
    host.has(DEFAULT_SOURCE, source(MIC))
    host.has(GetSourceInfo(index=MIC), source(MIC))
    host.has(GetSourceInfo(index=MONITOR), source(MONITOR, "speakers.monitor", monitor_of=0))
    host.answers()
    host.devices.listens(7, MIC, BEHIND)
    host.answers()
    assert host.heard == {7}
    return host


# -- how the end of the wire is made


def test_it_asks_for_the_default_and_to_be_told():
    assert Host(records=False).asked() == [Subscribe(mask=0b10000001), DEFAULT_SINK]
    assert Host(records=True).asked() == [Subscribe(mask=0b10000010), DEFAULT_SOURCE]


def test_it_asks_for_what_the_wire_names():
    assert Host(records=False, name="hdmi").asked()[1] == GetSinkInfo(name="hdmi")
    assert Host(records=True, name="mic").asked()[1] == GetSourceInfo(name="mic")


def test_the_shape_is_told_once_and_when_it_changes():
    host = Host(records=False)
    host.has(DEFAULT_SINK, sink(3))
    host.answers()
    assert host.shapes == [Shape(SPEC, STEREO)]
    host.tells(Facility.SINK, index=3)
    host.answers()
    assert host.shapes == [Shape(SPEC, STEREO)]
    other = SampleSpec(SampleFormat.FLOAT32LE, 1, 8000)
    host.has(DEFAULT_SINK, sink(4, other, b"\0"))
    host.tells(Facility.SERVER)
    host.answers()
    assert host.shapes[1:] == [Shape(other, b"\0")]


def test_other_devices_are_nobodys_business():
    host = Host(records=False)
    host.has(DEFAULT_SINK, sink(3))
    host.answers()
    host.tells(Facility.SINK, index=4)
    host.tells(Facility.SOURCE, index=3)
    host.tells(Facility.CLIENT, Change.NEW, 3)
    assert host.asked() == []


def test_a_device_that_is_not_there_yet_is_asked_for_with_each_new_one():
    host = Host(records=False, name="hdmi")
    host.answers()
    assert host.shapes == []
    assert host.found == [False]
    host.has(GetSinkInfo(name="hdmi"), sink(9))
    host.tells(Facility.SINK, Change.NEW, 9)
    host.answers()
    assert host.shapes == [Shape(SPEC, STEREO)]
    assert host.found == [False, True]


@pytest.mark.parametrize(
    ("spec", "channel_map"),
    [
        (SampleSpec(99, 2, 48000), STEREO),
        (SampleSpec(3, 0, 48000), b""),
        (SampleSpec(3, 2, 0), STEREO),
        (SampleSpec(3, 2, 48000), b"\0"),
        (SampleSpec(3, 2, 48000), b"\xff\xff"),
    ],
)
def test_a_shape_that_cannot_be_is_none(spec, channel_map):
    host = Host(records=False)
    host.has(DEFAULT_SINK, sink(3, spec, channel_map))
    host.answers()
    assert host.shapes == []


def test_endless_events_lead_to_one_question_for_each_answer():
    host = Host(records=True)
    host.has(DEFAULT_SOURCE, source(MIC))
    host.has(GetSourceInfo(index=MIC), source(MIC))
    host.answers()
    host.devices.listens(7, MIC, BEHIND)
    for _ in range(1000):
        host.tells(Facility.SERVER)
        host.tells(Facility.SOURCE, index=MIC)
    assert len(host.waits) == 2
    host.answers()
    assert len(host.waits) == 2
    host.answers()
    assert host.waits == []
    assert host.heard == {7}


# -- what record streams hear


def test_nothing_is_heard_before_the_source_is_known():
    host = Host(records=True)
    host.has(DEFAULT_SOURCE, source(MIC))
    host.has(GetSourceInfo(index=MIC), source(MIC))
    host.devices.listens(7, MIC, BEHIND)
    assert host.heard == set()
    host.answers()
    assert host.heard == {7}


def test_a_monitor_is_not_heard():
    host = Host(records=True)
    host.has(DEFAULT_SOURCE, source(MONITOR, "speakers.monitor", monitor_of=0))
    host.has(GetSourceInfo(index=MONITOR), source(MONITOR, "speakers.monitor", monitor_of=0))
    host.devices.listens(7, MONITOR, BEHIND)
    host.answers()
    assert host.heard == set()
    assert host.shapes == []


def test_a_monitor_is_heard_by_who_may_hear():
    host = Host(records=True, may_hear=True)
    host.has(DEFAULT_SOURCE, source(MONITOR, "speakers.monitor", monitor_of=0))
    host.has(GetSourceInfo(index=MONITOR), source(MONITOR, "speakers.monitor", monitor_of=0))
    host.devices.listens(7, MONITOR, BEHIND)
    assert host.heard == set()
    host.answers()
    assert host.heard == {7}


def test_a_stream_that_is_moved_to_a_monitor_is_not_heard_until_it_comes_back(microphone):
    microphone.devices.listens(7, MONITOR, BEHIND)
    assert microphone.heard == set()
    microphone.answers()
    assert microphone.heard == set()
    microphone.devices.listens(7, MIC, BEHIND)
    microphone.answers()
    assert microphone.heard == {7}


def test_a_stream_that_goes_to_a_known_microphone_is_heard_at_once(microphone):
    microphone.devices.listens(8, MIC, BEHIND)
    assert microphone.heard == {7, 8}
    assert microphone.asked() == []


def test_what_is_left_of_a_monitor_is_stale_and_nothing_else(microphone):
    microphone.devices.listens(8, MIC, BEHIND)
    microphone.devices.listens(8, MIC, BEHIND)
    assert microphone.devices.stale == {}
    microphone.devices.listens(7, MONITOR, BEHIND)
    microphone.answers()
    assert microphone.devices.stale == {}
    microphone.devices.listens(7, MIC, BEHIND)
    assert microphone.devices.stale == {7: BEHIND}
    microphone.tells(Facility.SOURCE, Change.REMOVED, MIC)
    assert microphone.devices.stale == {7: BEHIND, 8: BEHIND}
    microphone.devices.forget(7)
    assert microphone.devices.stale == {8: BEHIND}


def test_a_monitor_as_new_default_is_no_microphone_even_before_the_stream_is_moved(microphone):
    microphone.tells(Facility.SERVER)
    assert microphone.heard == set()
    microphone.has(DEFAULT_SOURCE, source(MONITOR, "speakers.monitor", monitor_of=0))
    microphone.answers()
    assert microphone.heard == set()
    microphone.has(DEFAULT_SOURCE, source(MIC))
    microphone.tells(Facility.SERVER)
    microphone.answers()
    assert microphone.heard == {7}


def test_turning_the_microphone_up_makes_no_hole(microphone):
    microphone.tells(Facility.SOURCE, Change.CHANGED, MIC)
    assert microphone.heard == {7}
    microphone.has(GetSourceInfo(index=MIC), source(MIC, monitor_of=3))  # then it was never what it said
    microphone.answers()
    assert microphone.heard == set()


@pytest.mark.parametrize("change", [Change.NEW, Change.REMOVED])
def test_a_number_that_is_given_anew_is_not_trusted(microphone, change):
    microphone.tells(Facility.SOURCE, change, MIC)
    assert microphone.heard == set()
    microphone.answers()
    assert microphone.heard == {7}


@pytest.mark.parametrize(
    "answer",
    [None, source(MIC + 1), source(MIC, monitor_of=0), sink(MIC)],
    ids=["refused", "another", "a monitor", "a sink"],
)
def test_any_other_answer_is_no_microphone(answer):
    host = Host(records=True)
    host.has(DEFAULT_SOURCE, source(MIC))
    host.has(GetSourceInfo(index=MIC), answer)
    host.devices.listens(7, MIC, BEHIND)
    host.answers()
    assert host.heard == set()


def test_a_source_that_is_not_said_is_none(microphone):
    microphone.devices.listens(7, None, BEHIND)
    microphone.answers()
    assert microphone.heard == set()


@pytest.mark.parametrize("may_hear", [False, True])
def test_a_wire_with_a_name_leads_to_that_source_and_no_other(may_hear):
    host = Host(records=True, name="phone", may_hear=may_hear)
    host.has(GetSourceInfo(index=5), source(5, "phone"))
    host.has(GetSourceInfo(index=MIC), source(MIC, "mic"))
    host.devices.listens(7, 5, BEHIND)
    host.answers()
    assert host.heard == {7}
    host.tells(Facility.SERVER)  # whatever is the default
    assert host.heard == {7}
    host.devices.listens(7, MIC, BEHIND)
    host.answers()
    assert host.heard == set()


def test_a_stream_that_is_gone_leaves_nothing(microphone):
    microphone.devices.listens(8, MONITOR, BEHIND)
    microphone.devices.forget(8)
    microphone.devices.forget(7)
    microphone.devices.forget(99)
    microphone.answers()
    assert microphone.heard == set()
    assert microphone.devices._sources == {}
    microphone.tells(Facility.SOURCE, Change.CHANGED, MONITOR)
    assert microphone.asked() == []


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.booleans())), st.integers(0, 2**32 - 1))
def test_whatever_happens_no_stream_is_heard_whose_last_known_source_is_a_monitor(steps, event):
    host = Host(records=True)
    host.has(DEFAULT_SOURCE, source(MIC))
    where = {}
    for number in (0, 1):
        host.has(GetSourceInfo(index=number), source(number))
    for number in (2, 3):
        host.has(GetSourceInfo(index=number), source(number, "x.monitor", monitor_of=number))
    for stream, number, answers in steps:
        where[stream] = number
        host.devices.listens(stream, number, BEHIND)
        if answers:
            host.devices.heed(SubscribeEvent(event=event, index=number))
            host.answers()
        assert all(where[heard] < 2 for heard in host.heard)
