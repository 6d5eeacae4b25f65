"""Shared memory: what a client that was promised none may say of it."""

from __future__ import annotations

import os

from eardrum.protocol.catalog import DisableSrbchannel, EnableSrbchannel, RegisterMemfdShmid, Stat
from eardrum.protocol.message import Message
from eardrum.testing.conformance.client import Fate, Talk, expect
from eardrum.testing.conformance.expectation import differs, expectation
from eardrum.testing.conformance.reasons import NO_SHARED_MEMORY

SAID: dict[str, Message] = {
    "ENABLE_SRBCHANNEL": EnableSrbchannel(),
    "DISABLE_SRBCHANNEL": DisableSrbchannel(),
    "REGISTER_MEMFD_SHMID without a descriptor": RegisterMemfdShmid(shm_id=1),
}


@expectation(each={name: (command,) for name, command in SAID.items()})
def it_ends_the_connection(talk: Talk, command: Message) -> None:
    talk.say(command)
    expect(talk.fate, Fate.CLOSED)


def after_memory(talk: Talk, command: Message) -> Fate:
    """What becomes of the connection when this comes with a piece of memory."""
    _, packet = talk.conversation.ask(command)
    memory = os.memfd_create("memory")
    os.truncate(memory, 65_536)
    try:
        talk.send(packet, descriptors=[memory])
    finally:
        os.close(memory)
    return talk.fate


@expectation
@differs(NO_SHARED_MEMORY, Fate.CLOSED)
def memory_that_was_not_agreed_on_is_not_registered(talk: Talk) -> None:
    expect(after_memory(talk, RegisterMemfdShmid(shm_id=1)), Fate.ALIVE)


@expectation
def a_descriptor_that_comes_unasked_is_passed_over(talk: Talk) -> None:
    expect(after_memory(talk, Stat()), Fate.ALIVE)
