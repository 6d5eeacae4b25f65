"""What a declaration says, and what cannot be declared."""

from typing import Annotated

import pytest

from eardrum.protocol import kinds
from eardrum.protocol.catalog import CreatePlaybackStream, ModuleInfo, SinkInfo, StreamRestoreWrite
from eardrum.protocol.kinds import Proplist, Ref, Str, Tail, ToEnd
from eardrum.protocol.message import (
    CATALOG,
    ExtensionMessage,
    Message,
    Record,
    command,
    extension,
    fields_of,
    record,
    reply,
    until,
)


def test_fields_stand_in_wire_order_with_their_versions() -> None:
    fields = {f.name: f for f in fields_of(CreatePlaybackStream)}
    assert [*fields][:4] == ["name", "sample_spec", "channel_map", "sink_index"]
    assert not fields["name"].in_version(13)
    assert fields["name"].in_version(12)
    assert fields["formats"].since == 21


def test_references_say_to_what() -> None:
    refs = {f.name: f.ref for f in fields_of(SinkInfo) if f.ref}
    assert refs["index"] == Ref("sink")
    assert refs["monitor_source_name"] == Ref("source")
    assert "description" not in refs


def test_default_lists_and_property_lists_are_not_shared() -> None:
    one = ModuleInfo(index=0, name="a", used=0)
    one.proplist["a"] = b""
    assert ModuleInfo(index=0, name="a", used=0).proplist == {}


def test_a_string_cannot_follow_a_proplist() -> None:
    with pytest.raises(TypeError, match="cannot be told apart"):

        @command(999)
        class Wrong(Message):
            props: Proplist
            name: Str


def test_nothing_can_follow_what_goes_to_the_end() -> None:
    with pytest.raises(TypeError, match="nothing can follow"):

        @record
        class Row(Record):
            tail: Tail
            name: Str

    with pytest.raises(TypeError, match="nothing can follow"):

        @reply
        class Rows(Message):
            items: Annotated[list[SinkInfo], ToEnd(SinkInfo)]
            name: Str


def test_a_code_is_taken_once() -> None:
    with pytest.raises(TypeError, match="taken by CreatePlaybackStream"):

        @command(3)
        class Again(Message):
            old: kinds.U32 = until(9, default=0)

    assert CATALOG[3] is CreatePlaybackStream


def test_what_is_said_to_a_module_begins_with_what_calls_it() -> None:
    fields = fields_of(StreamRestoreWrite)
    assert [f.name for f in fields] == ["index", "name", "subcommand", "mode", "apply", "entries"]
    assert [f.constant for f in fields[:4]] == [None, "module-stream-restore", 2, None]
    said = StreamRestoreWrite(mode=0, apply=True, entries=[])
    assert (said.index, said.name, said.subcommand) == (None, "module-stream-restore", 2)


def test_a_subcommand_is_taken_once() -> None:
    with pytest.raises(TypeError, match="subcommand 2 of module-stream-restore is taken"):

        @extension("module-stream-restore", 2)
        class Again(ExtensionMessage):
            pass
