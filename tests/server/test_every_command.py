"""Every command code, for every set of rights, in every version of the protocol: as it was written down by hand.

`EXPECTED` says of each code what it takes, and knows nothing of `rules.py` or of the declarations. What passes may be
refused for what it points at; that is in verdicts.txt. A version decides which fields there are, not which commands.
"""

from __future__ import annotations

import struct

import pytest

from eardrum.protocol import catalog as c
from eardrum.protocol import codec
from eardrum.protocol.conversation import Command, Serving
from eardrum.protocol.message import CATALOG, NEWEST, OLDEST
from eardrum.protocol.packets import control
from eardrum.server.core import Server
from eardrum.server.rights import Right
from eardrum.server.views import outlet_view
from eardrum.terms.errors import PulseError, RemoteProtocolError
from eardrum.terms.names import input_end, output_end
from eardrum.testing.filled import filled
from eardrum.testing.stage import Program, Stage

EXPECTED = {
    "hello": "8 9",
    "connect": "13 82 85",
    "look": "10 11 20-35 88 89",
    "play": "3 4 12 14-19 36 37 39 41-43 46 49 60 67 69 72 74 81 84",
    "play or record": "5 6 38 40 47 48 50 57-59 68 73 75 80 83 98 99",
    "modules": "44 45 51 52 70 71",
    "own": "7 87 90 96 97 100 104",
}  # of the rest there is no command that a client may say, or it is shared memory: the connection ends
PASSED_OVER = (0, 2)  # answers, which nobody awaits
POLICIES = {
    "(no AUTH)": Right.CONNECT | Right.LOOK | Right.PLAY | Right.RECORD,
    "connect": Right.CONNECT,
    "look": Right.CONNECT | Right.LOOK,
    "play": Right.CONNECT | Right.LOOK | Right.PLAY,
    "record": Right.CONNECT | Right.LOOK | Right.RECORD,
    "both": Right.CONNECT | Right.LOOK | Right.PLAY | Right.RECORD,
    "modules": Right.CONNECT | Right.LOOK | Right.PLAY | Right.MODULES,
    "own": ~Right.NONE,
}

GRANTS = {
    "hello": Right.CONNECT,
    "connect": Right.CONNECT,
    "look": Right.LOOK,
    "play": Right.PLAY,
    "play or record": Right.PLAY | Right.RECORD,
    "modules": Right.MODULES | Right.OWN,
    "own": Right.OWN,
}


def numbers(words: str) -> list[int]:
    """`3 5-7` is 3, 5, 6 and 7."""
    ends = [list(map(int, word.split("-"))) for word in words.split()]
    return [number for end in ends for number in range(end[0], end[-1] + 1)]


TAKES = {code: needs for needs, codes in EXPECTED.items() for code in numbers(codes)}


def expected(code: int, policy: str) -> str:
    if code in PASSED_OVER:
        return "passed over"
    if code not in TAKES:
        return "the end"
    if policy == "(no AUTH)" and TAKES[code] != "hello":
        return "ACCESS"
    return "may pass" if POLICIES[policy] & GRANTS[TAKES[code]] else "ACCESS"


def outcome(program: Program, code: int, version: int) -> str:
    """What becomes of this command, said in bytes."""
    cls = CATALOG.get(code)
    nothing = struct.pack(">BIBI", 76, code, 76, 7)
    payload = codec.encode(filled(cls, version), 7, version) if cls else nothing
    try:
        heard = Serving(version).receive(memoryview(control(payload)))
    except RemoteProtocolError:
        return "the end"
    if not heard:
        return "passed over"
    (command,) = heard
    assert isinstance(command, Command)
    tag = program.say(command.message)
    if program.ended:
        return "the end"
    return "ACCESS" if program.answers.get(tag) is PulseError.ACCESS else "may pass"


@pytest.mark.case("P34")
@pytest.mark.parametrize("policy", POLICIES)
def test_every_command_in_every_version_is_judged_as_was_written_down(policy):
    makes_view = outlet_view("box", output_end("null"), input_end("silence"), modules=policy == "modules")
    stage = Stage(Server(makes_view))
    for _ in range(8):  # numbers that the commands mean are nobody's any more
        stage.join().leave()
    for version in range(OLDEST, NEWEST + 1):
        for code in range(112):
            program = stage.connect(POLICIES[policy])
            if policy != "(no AUTH)":
                program.ask(c.Auth(version=version))
            assert outcome(program, code, version) == expected(code, policy), (code, version)
            program.leave()


def test_every_declared_command_is_expected_or_ends_the_connection():
    declared = {code for code, cls in CATALOG.items() if cls.SENDER != "server"}
    assert declared - TAKES.keys() == {101, 102, 103}
    assert TAKES.keys() <= declared
