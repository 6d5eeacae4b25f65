"""Who is let in at a socket of a standard server, and for how long a stranger may stay."""

from __future__ import annotations

import pytest

from eardrum.protocol.catalog import Ack, Auth, AuthReply, ClientNamed, GetServerInfo, SetClientName, Subscribe
from eardrum.server.admission import Door, Entry, Peer
from eardrum.server.core import Server
from eardrum.server.effects import Answer, HangUp, Refuse, WakeMe
from eardrum.server.events import Asked, Joined, Left, Woke
from eardrum.server.rights import EVERY
from eardrum.server.views import serve_view
from eardrum.terms.budget import SERVE
from eardrum.terms.errors import PulseError
from eardrum.terms.names import WireEnd
from eardrum.testing.playbook import Play

COOKIE = bytes(range(256))
OTHER = bytes(256)
STRANGER = Peer(1001, frozenset((1001,)))
MINE = Door(1000, cookie=COOKIE)


@pytest.mark.parametrize(
    ("door", "peer", "cookie", "admitted"),
    [
        (Door(1000), Peer(1000), OTHER, True),
        (Door(1000), STRANGER, OTHER, False),
        (Door(1000), Peer(0, frozenset((0,))), OTHER, False),  # root is a user like any other
        (Door(1000), Peer(None), OTHER, False),
        (Door(1000, group=29), STRANGER, OTHER, False),
        (Door(1000, group=29), Peer(1001, frozenset((1001, 29))), OTHER, True),
        (Door(1000, group=29), Peer(None, frozenset((29,))), OTHER, True),
        (Door(1000, group=29), Peer(1000), OTHER, True),
        (Door(1000, cookie=COOKIE), STRANGER, COOKIE, True),
        (Door(1000, cookie=COOKIE), STRANGER, OTHER, False),
        (Door(1000, cookie=COOKIE), STRANGER, COOKIE[:-1], False),
        (Door(1000), STRANGER, COOKIE, False),
        (Door(1000, group=29, cookie=COOKIE), STRANGER, COOKIE, True),
        (Door(1000, anonymous=True), STRANGER, OTHER, True),
        (Door(1000, anonymous=True), Peer(None), OTHER, True),
    ],
)
def test_any_rule_lets_in(door, peer, cookie, admitted):
    assert door.admits(peer, cookie) is admitted


@pytest.fixture
def core() -> Server:
    core = Server(serve_view("me", "here", WireEnd("null"), None), budget=SERVE)
    core.handle(Woke(100.0, 1e9))
    return core


def joined(client: int = 1, door: Door = MINE, peer: Peer = STRANGER) -> Joined:
    return Joined(client, 0, EVERY, 0, Entry(door, peer))


def test_who_is_refused_may_try_again(core):
    (Play(core)
        >> joined()
        << WakeMe(160.0)
        >> Asked(1, 1, Auth(version=35, cookie=OTHER))
        << Refuse(1, 1, PulseError.ACCESS, "neither its user nor its cookie counts here")
        >> Asked(1, 2, GetServerInfo())
        << Refuse(1, 2, PulseError.ACCESS, "before AUTH")
        >> Asked(1, 3, Auth(version=35, cookie=COOKIE))
        << Answer(1, 3, AuthReply(version=35))
        << WakeMe(None)
        >> Asked(1, 4, Subscribe(mask=0))
        << Answer(1, 4, Ack())
    ).over()  # fmt: skip


def test_a_version_that_nobody_speaks_lets_nobody_in(core):
    (Play(core)
        >> joined(peer=Peer(1000))
        << WakeMe(160.0)
        >> Asked(1, 1, Auth(version=7, cookie=COOKIE))
        << Refuse(1, 1, PulseError.VERSION, "version 7")
        >> Asked(1, 2, GetServerInfo())
        << Refuse(1, 2, PulseError.ACCESS, "before AUTH")
    ).over()  # fmt: skip


def test_who_has_been_let_in_stays(core):
    (Play(core)
        >> joined()
        << WakeMe(160.0)
        >> Asked(1, 1, Auth(version=35, cookie=COOKIE))
        << Answer(1, 1, AuthReply(version=35))
        << WakeMe(None)
        >> Asked(1, 2, Auth(version=35, cookie=OTHER))
        << Answer(1, 2, AuthReply(version=35))
        >> Woke(1e6, 1e9)
    ).over()  # fmt: skip


def test_strangers_are_sent_away_after_their_time(core):
    (Play(core)
        >> joined(1)
        << WakeMe(160.0)
        >> Asked(1, 1, SetClientName(proplist={}))
        << Answer(1, 1, ClientNamed(index=0))
        >> Woke(130.0, 1e9)
        >> joined(2)
        >> joined(3)
        >> joined(4)
        >> Left(3)
        >> Asked(4, 1, Auth(version=35, cookie=COOKIE))
        << Answer(4, 1, AuthReply(version=35))
        >> Woke(159.9, 1e9)
        >> Woke(160.0, 1e9)
        << HangUp(1, "did not authenticate in time")
        << WakeMe(190.0)
        >> Left(1)
        >> Woke(190.0, 1e9)
        << HangUp(2, "did not authenticate in time")
        << WakeMe(None)
    ).over()  # fmt: skip


def test_of_too_many_strangers_the_oldest_goes(core):
    for number in range(1, 257):
        assert not any(isinstance(effect, HangUp) for effect in core.handle(joined(number)))
    (Play(core)
        >> Asked(2, 1, Auth(version=35, cookie=COOKIE))
        << Answer(2, 1, AuthReply(version=35))
        >> joined(1000)
        >> joined(1001)
        << HangUp(1, "did not authenticate in time")
        >> joined(1002)
        << HangUp(3, "did not authenticate in time")
    ).over()  # fmt: skip


def test_whoever_may_come_in_may_also_wait(core):
    (Play(core)
        >> joined(door=Door(1000, anonymous=True))
        >> Woke(100.0 + 120.0, 1e9)
        >> Asked(1, 1, Auth(version=35))
        << Answer(1, 1, AuthReply(version=35))
    ).over()  # fmt: skip
