"""Getting acquainted: what may be said before AUTH, which versions there are, and what is offered and not taken."""

from __future__ import annotations

import os
import struct

import pytest

from eardrum.protocol import catalog as c
from eardrum.protocol import codec
from eardrum.protocol.message import OLDEST, every
from eardrum.protocol.packets import control
from eardrum.terms.audio import VOLUME_NORM
from eardrum.terms.errors import PulseError
from eardrum.testing.arena import BACKENDS
from eardrum.testing.filled import filled
from eardrum.testing.workers import Caller

pytestmark = pytest.mark.parametrize("attacked", BACKENDS, indirect=True)

BEFORE_AUTH = (c.Auth, c.SetClientName)
HUNG_UP_ON = (c.EnableSrbchannel, c.DisableSrbchannel, c.RegisterMemfdShmid)
SAYABLE = [cls for cls in every() if cls.SENDER != "server" and cls.SINCE <= OLDEST]
SHM, MEMFD, SRB = 1 << 31, 1 << 30, 1 << 29
NEVER_SAID = [1, *range(53, 57), *range(61, 67), *range(76, 80), 86, *range(91, 96), 102, *range(105, 112), 4711, 2**31]


@pytest.mark.case("P22")
def test_nothing_but_auth_and_a_name_may_be_said_first(victim):
    commands = [filled(cls, OLDEST) for cls in SAYABLE if cls not in (*BEFORE_AUTH, *HUNG_UP_ON)]
    assert len(commands) > 40
    with Caller(victim.connect()) as attacker:
        assert {attacker.ask(command) for command in commands} == {PulseError.ACCESS}
        assert attacker.ask(c.Auth(version=35)) == c.AuthReply(version=35)


@pytest.mark.case("P23")
def test_auth_again_is_refused_and_changes_nothing(victim):
    said = victim.said_upstream()
    with victim.join() as attacker:
        for version in (35, 8, 13, 35):
            assert attacker.ask(c.Auth(version=version, cookie=os.urandom(256))) == PulseError.BADSTATE
            assert attacker.ask(c.Exit()) == PulseError.ACCESS
            assert attacker.ask(c.GetSinkInfoList()).items[0].volume_steps == VOLUME_NORM + 1  # read as version 35
        assert attacker.ask(c.Stat()) == c.StatReply()
    assert victim.said_upstream() == said


@pytest.mark.case("P24")
def test_versions_that_are_too_old_are_refused_and_those_to_come_are_answered(victim):
    with Caller(victim.connect()) as attacker:
        for version in (0, 1, 7, 7 | SHM):
            assert attacker.ask(c.Auth(version=version)) == PulseError.VERSION
        assert attacker.ask(c.Stat()) == PulseError.ACCESS
    for version in (36, 1000, 0xFFFF):
        with Caller(victim.connect()) as attacker:
            assert attacker.ask(c.Auth(version=version)) == c.AuthReply(version=35)
            assert attacker.ask(c.Stat()) == c.StatReply()


@pytest.mark.case("P25")
def test_no_cookie_counts(victim):
    """The same is answered to whatever cookie, that of the host's user among them."""
    answers = []
    for cookie in (bytes(256), b"\xff" * 256, os.urandom(256), victim.host_cookie):
        with Caller(victim.connect()) as attacker:
            attacker.socket.sendall(codec.packet(c.Auth(version=35, cookie=cookie), 0, OLDEST))
            answers.append(attacker.socket.recv(4096))
    assert len(set(answers)) == 1
    assert answers[0] == codec.packet(c.AuthReply(version=35), 0, OLDEST)


@pytest.mark.case("P25")
def test_the_cookie_of_a_client_is_in_no_log_and_no_trace(victim):
    cookie = bytes(range(1, 129)) * 2
    with victim.traced() as trace:
        while "> AUTH" not in trace() or "who was it" not in trace():
            with Caller(victim.connect()) as attacker:
                attacker.ask(c.Auth(version=35, cookie=cookie))
                attacker.ask(c.SetClientName(proplist={"application.name": b"who was it\0"}))
        lines = trace()
    for said in (lines, victim.log()):
        assert cookie[:8].hex() not in said
        assert repr(cookie[60:70])[2:-1] not in said


@pytest.mark.case("P27")
def test_no_shared_memory_is_agreed_on(victim):
    for offer in (SHM, SHM | MEMFD, SHM | MEMFD | SRB, 0xFFFF0000):
        with Caller(victim.connect()) as attacker:
            assert attacker.ask(c.Auth(version=offer | 35)) == c.AuthReply(version=35)
            attacker.ask(c.SetClientName())
            attacker.play(corked=True)
            attacker.ask(c.GetSinkInfoList())
            assert attacker.told == []


@pytest.mark.case("P27")
def test_who_takes_up_shared_memory_that_was_not_offered_is_hung_up_on(victim):
    victim.drops([codec.packet(filled(cls, 35), 7, 35) for cls in HUNG_UP_ON])


@pytest.mark.case("P33")
def test_commands_that_no_client_may_say_end_the_connection(victim):
    victim.drops([control(struct.pack(">BIBI", 76, code, 76, 0)) for code in NEVER_SAID])
    servers = [cls for cls in every() if cls.SENDER == "server" and cls.CODE > 2]
    victim.drops([codec.packet(filled(cls, 35), 0, 35) for cls in servers])


@pytest.mark.case("P33")
def test_answers_to_nothing_are_passed_over(victim):
    with victim.join() as attacker:
        for code in (0, 2):
            for tag in (0, 1, 77, 2**32 - 1):
                attacker.socket.sendall(control(struct.pack(">BIBI", 76, code, 76, tag) + b"any bytes"))
        assert attacker.ask(c.Stat()) == c.StatReply()
