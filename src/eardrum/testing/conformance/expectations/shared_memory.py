"""Shared memory: what a client that was promised none may say of it."""

from __future__ import annotations

from eardrum.protocol.catalog import DisableSrbchannel, EnableSrbchannel, RegisterMemfdShmid
from eardrum.protocol.message import Message
from eardrum.testing.conformance.client import Fate, Talk, expect
from eardrum.testing.conformance.expectation import expectation

SAID: dict[str, Message] = {
    "ENABLE_SRBCHANNEL": EnableSrbchannel(),
    "DISABLE_SRBCHANNEL": DisableSrbchannel(),
    "REGISTER_MEMFD_SHMID without a descriptor": RegisterMemfdShmid(shm_id=1),
}


@expectation(each={name: (command,) for name, command in SAID.items()})
def it_ends_the_connection(talk: Talk, command: Message) -> None:
    talk.say(command)
    expect(talk.fate, Fate.CLOSED)
