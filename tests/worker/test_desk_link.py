"""What the desk hears of a worker, and how often."""

import os
import socket
from pathlib import Path

import pytest

from eardrum.kernel import seqpacket
from eardrum.server.effects import KeepLevel, WireSays
from eardrum.server.events import OUTPUT
from eardrum.terms.audio import VOLUME_NORM
from eardrum.terms.errors import PulseError
from eardrum.worker.desk_link import REPORT_EVERY, DeskLink
from eardrum.worker.records import FROM_WORKER, MUTED, RECORD_BYTES, Kind, Record, parse


@pytest.fixture
def desk_and_link():
    desk, ours = seqpacket.pair()
    desk.setblocking(False)
    link = DeskLink(ours.detach())
    yield desk, link
    link.close()
    desk.close()


def said(desk: socket.socket) -> list[Record]:
    records = []
    while True:
        try:
            records.append(parse(seqpacket.receive(desk, RECORD_BYTES)[0], FROM_WORKER))
        except BlockingIOError:
            return records


def test_counts_are_told_when_they_change_and_not_too_often(desk_and_link):
    desk, link = desk_and_link
    for now, counts in ((10.0, (1, 0, 0)), (10.1, (2, 1, 0)), (10.2, (3, 1, 0))):
        link.stale = True
        link.report(now, lambda counts=counts: counts)
    assert said(desk) == [Record(Kind.COUNTS, 1, 0, 0)]
    assert link.due == 10.0 + REPORT_EVERY
    link.report(link.due, lambda: (3, 1, 0))
    assert said(desk) == [Record(Kind.COUNTS, 3, 1, 0)]
    assert link.due is None
    link.stale = True
    link.report(20.0, lambda: (3, 1, 0))
    assert said(desk) == []


def test_of_many_levels_only_the_newest_is_told(desk_and_link):
    desk, link = desk_and_link
    for level in range(100):
        link.keep_level(KeepLevel(OUTPUT, (level, VOLUME_NORM), level % 2 == 1))
    link.wire_says(WireSays(OUTPUT, PulseError.NOENTITY))
    link.report(10.0, lambda: (0, 0, 0))
    assert sorted(said(desk)) == [
        Record(Kind.LEVEL, OUTPUT | MUTED, 99, VOLUME_NORM),
        Record(Kind.WIRE, OUTPUT, PulseError.NOENTITY),
    ]


def test_descriptors_come_with_records(desk_and_link):
    desk, link = desk_and_link
    assert link.receive() is None
    with open(os.devnull) as file:
        seqpacket.send(desk, bytes(Record(Kind.UPSTREAM, OUTPUT, 35)), (file.fileno(),))
    record, (descriptor,) = link.receive()
    assert record == Record(Kind.UPSTREAM, OUTPUT, 35)
    os.close(descriptor)


@pytest.mark.parametrize("end", ["closes", "talks nonsense"])
def test_a_desk_that_is_gone_or_mad_is_no_desk(desk_and_link, end):
    desk, link = desk_and_link
    if end == "closes":
        desk.close()
    else:
        seqpacket.send(desk, b"nonsense", (desk.fileno(),))
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert link.receive() is None
    assert link.orphan
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    link.tell(Record(Kind.READY))  # nobody is there, and that is no error
