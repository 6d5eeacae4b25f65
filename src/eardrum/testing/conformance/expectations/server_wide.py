"""What concerns a whole server: modules, cards, defaults, suspending, messages to objects."""

from __future__ import annotations

import getpass
import json
import socket

from eardrum.protocol.catalog import (
    DEVICE_RESTORE,
    Ack,
    DeviceRestoreReadFormats,
    DeviceRestoreTest,
    Extension,
    ExtensionVersion,
    GetModuleInfo,
    GetModuleInfoList,
    GetServerInfo,
    LoadModule,
    ModuleInfoList,
    ModuleLoaded,
    PlaybackStreamSuspended,
    SendObjectMessage,
    ServerInfo,
    SetCardProfile,
    SetDefaultSink,
    SetDefaultSource,
    SetPortLatencyOffset,
    SetSinkPort,
    SetSourcePort,
    Stat,
    StatReply,
    SuspendSink,
    SuspendSource,
    UnloadModule,
)
from eardrum.protocol.message import Message
from eardrum.terms.errors import PulseError
from eardrum.testing.conformance.client import Fate, Talk, expect
from eardrum.testing.conformance.expectation import CARRIED, MIXED, OUTLETS, SERVE, differs, expectation
from eardrum.testing.conformance.reasons import (
    EMULATED,
    NO_CARDS,
    NO_HOST,
    NO_MODULES,
    OBJECTS,
    OWN_PACKAGE,
    OWNER_SUSPENDS,
    STATISTICS,
    WIRING,
)

ACCESS, INVALID, NOENTITY = PulseError.ACCESS, PulseError.INVALID, PulseError.NOENTITY
TOOLARGE, NOEXTENSION, MODINITFAILED = PulseError.TOOLARGE, PulseError.NOEXTENSION, PulseError.MODINITFAILED
NOTIMPLEMENTED = PulseError.NOTIMPLEMENTED


# modules

MODULES: dict[str, tuple[Message, PulseError]] = {
    "LOAD_MODULE without a name": (LoadModule(name=None), INVALID),
    "LOAD_MODULE of an empty name": (LoadModule(name=""), INVALID),
    "LOAD_MODULE of a path": (LoadModule(name="../module"), INVALID),
    "LOAD_MODULE of no module": (LoadModule(name="module-no-such"), MODINITFAILED),
    "LOAD_MODULE with wrong arguments": (LoadModule(name="module-null-sink", argument="no=such"), MODINITFAILED),
    "UNLOAD_MODULE of no module": (UnloadModule(index=4711), NOENTITY),
    "EXTENSION of no module": (Extension(index=4711, subcommand=0), NOEXTENSION),
    "EXTENSION of no module by name": (Extension(name="module-no-such", subcommand=0), NOEXTENSION),
    "EXTENSION of a module that has none": (Extension(name="module-null-source", subcommand=0), NOEXTENSION),
    "EXTENSION of nothing": (Extension(subcommand=0), INVALID),
    "EXTENSION by index and name": (Extension(index=1, name="module-null-source", subcommand=0), INVALID),
}


@expectation(each=MODULES)
@differs(NO_MODULES, ACCESS, on=OUTLETS)
def what_is_asked_of_modules_in_vain_has_its_error(talk: Talk, command: Message, error: PulseError) -> None:
    expect(talk.ask(command), error)


@expectation
@differs(NO_MODULES, [], "none", on=OUTLETS)
@differs(EMULATED, ["module-null-sink", "module-null-source"], "those of the programs", on=SERVE)
def modules_are_listed(talk: Talk) -> None:
    names = {info.name or "" for info in talk.must(ModuleInfoList, GetModuleInfoList()).items}
    expect(sorted(names), ["module-native-protocol-unix", "module-null-sink", "module-null-source"])


@expectation
def a_module_that_is_not_there_is_no_entity(talk: Talk) -> None:
    expect(talk.ask(GetModuleInfo(index=4711)), NOENTITY)


@expectation
@differs(NO_MODULES, ACCESS, on=OUTLETS)
@differs(EMULATED, NOEXTENSION, on=SERVE)
def a_module_with_an_extension_hears_it_strictly(talk: Talk) -> None:
    loaded = talk.must(ModuleLoaded, LoadModule(name=DEVICE_RESTORE))
    try:
        expect(talk.ask(DeviceRestoreTest()), ExtensionVersion(version=1))
        for said in (
            Extension(name=DEVICE_RESTORE, subcommand=99),
            Extension(name=DEVICE_RESTORE, subcommand=0, tail=b"N"),
            DeviceRestoreReadFormats(device_type=0, device_index=4711),
        ):
            expect(talk.another().ask(said), Fate.CLOSED)
    finally:
        talk.must(Ack, UnloadModule(index=loaded.index))


# cards and ports

HARDWARE: dict[str, tuple[Message, PulseError]] = {
    "SET_CARD_PROFILE of no card": (SetCardProfile(name="no-such", profile="off"), NOENTITY),
    "SET_CARD_PROFILE of nothing": (SetCardProfile(profile="off"), INVALID),
    "SET_SINK_PORT of a sink without ports": (SetSinkPort(name="output", port="plug"), NOTIMPLEMENTED),
    "SET_SOURCE_PORT of a source without ports": (
        SetSourcePort(name="input", port="no-such"),
        PulseError.NOTIMPLEMENTED,
    ),
    "SET_PORT_LATENCY_OFFSET of no card": (SetPortLatencyOffset(name="no-such", port="a", offset=0), NOENTITY),
}


@expectation(each=HARDWARE)
@differs(NO_CARDS, ACCESS, on=OUTLETS)
def hardware_is_needed_for(talk: Talk, command: Message, error: PulseError) -> None:
    expect(talk.ask(command), error)


# defaults

DEFAULTS: dict[str, tuple[Message, PulseError]] = {
    "no sink": (SetDefaultSink(name="no-such"), NOENTITY),
    "no source": (SetDefaultSource(name="no-such"), NOENTITY),
    "the sink's wildcard": (SetDefaultSink(name="@DEFAULT_SINK@"), INVALID),
    "the source's wildcard": (SetDefaultSource(name="@DEFAULT_SOURCE@"), INVALID),
    "the wildcard of none": (SetDefaultSink(name="@NONE@"), INVALID),
    "an empty name": (SetDefaultSource(name=""), INVALID),
}


@expectation(each=DEFAULTS)
@differs(WIRING, ACCESS, on=OUTLETS)
def the_default_cannot_be(talk: Talk, command: Message, error: PulseError) -> None:
    expect(talk.ask(command), error)


@expectation(each={"by name": ("output", "input"), "by no name, as it is": (None, None)})
@differs(WIRING, ACCESS, on=OUTLETS)
def the_default_is_set(talk: Talk, sink: str | None, source: str | None) -> None:
    expect(talk.ask(SetDefaultSink(name=sink)), Ack())
    expect(talk.ask(SetDefaultSource(name=source)), Ack())
    info = talk.must(ServerInfo, GetServerInfo())
    expect((info.default_sink, info.default_source), ("output", "input"))


# suspending

SUSPENDED: dict[str, tuple[Message, PulseError]] = {
    "no sink": (SuspendSink(name="no-such", suspend=True), NOENTITY),
    "no source": (SuspendSource(index=4711, suspend=True), NOENTITY),
    "index and name": (SuspendSink(index=0, name="output", suspend=True), INVALID),
    "nothing": (SuspendSource(suspend=True), INVALID),
}


@expectation(each=SUSPENDED)
@differs(OWNER_SUSPENDS, ACCESS, on=OUTLETS)
def a_device_is_needed_to_suspend(talk: Talk, command: Message, error: PulseError) -> None:
    expect(talk.ask(command), error)


@expectation(each={"its name": ("output",), "the empty name, as all": ("",)})
@differs(OWNER_SUSPENDS, ACCESS, on=OUTLETS)
def a_sink_is_suspended_by(talk: Talk, name: str) -> None:
    talk.play(corked=True)
    for suspend in (True, False):
        expect(talk.ask(SuspendSink(name=name, suspend=suspend)), Ack())
        talk.hear(PlaybackStreamSuspended, channel=0, suspended=suspend)


# the rest


@expectation
@differs(NO_HOST, ("eardrum", "eardrum", "mixed"), "`eardrum`, `eardrum`, the outlet's name", on=MIXED)
@differs(NO_HOST, ("eardrum", "eardrum", "carried"), "`eardrum`, `eardrum`, the outlet's name", on=CARRIED)
@differs(OWN_PACKAGE, ("eardrum", getpass.getuser(), socket.gethostname()), "`eardrum`, the same, the same", on=SERVE)
def the_server_tells_its_name_its_user_and_its_host(talk: Talk) -> None:
    info = talk.must(ServerInfo, GetServerInfo())
    told = (info.package_name, info.user_name, info.host_name)
    expect(told, ("pulseaudio", getpass.getuser(), socket.gethostname()))


@expectation
@differs(NO_HOST, 0, "0")
def the_server_has_a_random_number_of_its_own(talk: Talk) -> None:
    cookie = talk.must(ServerInfo, GetServerInfo()).cookie
    expect(cookie, cookie or "a number")


@expectation
@differs(STATISTICS, (0, 0, 0, 0), "zeros")
def memory_is_counted(talk: Talk) -> None:
    told = talk.must(StatReply, Stat())
    numbers = (told.blocks, told.nbytes, told.blocks_ever, told.nbytes_ever)
    expect(numbers, numbers if all(numbers) else "numbers")


def to_object(path: str | None, message: str | None) -> SendObjectMessage:
    return SendObjectMessage(path=path, message=message, parameters=None)


OBJECT_ERRORS = {
    "without a path": (to_object(None, "help"), INVALID),
    "without words": (to_object("/core", None), INVALID),
    "to no object": (to_object("/no/such", "help"), NOENTITY),
    "that is no UTF-8": (to_object("/core", "\udcff"), INVALID),
}


@expectation(each=OBJECT_ERRORS)
@differs(OBJECTS, ACCESS, on=OUTLETS)
def a_message_to_an_object_is_refused(talk: Talk, command: Message, error: PulseError) -> None:
    expect(talk.ask(command), error)


@expectation
@differs(OBJECTS, ACCESS, on=OUTLETS)
def the_objects_that_hear_messages_are_listed(talk: Talk) -> None:
    answer = talk.ask(to_object("/core", "list-handlers"))
    expect(answer if isinstance(answer, PulseError) else None, None)
    expect(json.loads(answer.response)[0]["name"], "/core")
