"""The catalogue is complete and true to the table of commands."""

import pytest

from eardrum.protocol import catalog
from eardrum.protocol.message import (
    CATALOG,
    EXTENSION,
    EXTENSIONS,
    NEWEST,
    OLDEST,
    REPLIES,
    REPLY,
    Message,
    every,
    fields_of,
    wire_name,
)

OF_MODULES = [cls for known in EXTENSIONS.values() for cls in known.values()]
EVERY = every()
TO_CLIENTS_ONLY = {0, 61, 62, 63, 64, 65, 66, 76, 77, 78, 79, 86, 91, 92, 93, 94, 95}
BOTH = {87, 101, 102, 103}
REFERENCES = {
    "sink", "source", "client", "module", "sink_input", "source_output", "sample", "card",
    "playback_stream", "record_stream", "upload_stream", "event",
}  # fmt: skip


def test_every_code_is_declared_or_said_by_nobody() -> None:
    assert sorted([*CATALOG, *catalog.NEVER_SAID, REPLY]) == list(range(105))


def test_every_message_can_be_imported_from_the_catalogue() -> None:
    for cls in EVERY:
        assert getattr(catalog, cls.__name__) is cls
        assert cls.__name__ in catalog.__all__


def test_who_says_what() -> None:
    assert {code for code, cls in CATALOG.items() if cls.SENDER == "server"} == TO_CLIENTS_ONLY
    assert {code for code, cls in CATALOG.items() if cls.SENDER == "both"} == BOTH


@pytest.mark.parametrize("cls", [*CATALOG.values(), *OF_MODULES], ids=wire_name)
def test_what_a_client_asks_is_answered(cls: type[Message]) -> None:
    unanswered = cls.SENDER == "server" or cls in (
        catalog.EnableSrbchannel, catalog.DisableSrbchannel, catalog.RegisterMemfdShmid
    )  # fmt: skip
    assert (cls.ANSWER is None) is unanswered
    assert cls.ANSWER is None or cls.ANSWER in REPLIES


def test_every_reply_answers_something() -> None:
    assert {cls.ANSWER for cls in [*CATALOG.values(), *OF_MODULES]} - {None} == set(REPLIES)


def test_what_modules_understand_and_say() -> None:
    events = {"module-stream-restore": 5, "module-device-restore": 2, "module-device-manager": 7}
    assert {module: sorted(known) for module, known in EXTENSIONS.items()} == {
        "module-stream-restore": list(range(6)),
        "module-device-restore": list(range(6)),
        "module-device-manager": list(range(8)),
    }
    for module, known in EXTENSIONS.items():
        assert [number for number, cls in known.items() if cls.SENDER == "server"] == [events[module]]
        assert all((cls.CODE, cls.SINCE) == (EXTENSION, 14) for cls in known.values())


def test_references_point_at_known_objects() -> None:
    for cls in EVERY:
        assert {f.ref.to for f in fields_of(cls) if f.ref} <= REFERENCES


@pytest.mark.parametrize(
    ("cls", "code", "since", "descriptors"),
    [
        (catalog.CreatePlaybackStream, 3, 8, 0),
        (catalog.UpdateRecordStreamProplist, 80, 13, 0),
        (catalog.UpdatePlaybackStreamProplist, 81, 13, 0),
        (catalog.RemoveRecordStreamProplist, 83, 13, 0),
        (catalog.RemovePlaybackStreamProplist, 84, 13, 0),
        (catalog.Started, 86, 13, 0),
        (catalog.Extension, 87, 14, 0),
        (catalog.SetSourceOutputVolume, 98, 22, 0),
        (catalog.EnableSrbchannel, 101, 30, 2),
        (catalog.RegisterMemfdShmid, 103, 31, 1),
        (catalog.SendObjectMessage, 104, 35, 0),
    ],
)
def test_codes_and_versions(cls: type[Message], code: int, since: int, descriptors: int) -> None:
    assert (code, since, descriptors) == (cls.CODE, cls.SINCE, cls.DESCRIPTORS)


STREAM_FLAGS = "no_remap no_remix fix_format fix_rate fix_channels no_move variable_rate"
DEVICE_SINCE_15 = "base_volume state volume_steps card_index"
CAME_WITH = {
    9: {"PlaybackStreamCreated": "maxlength tlength prebuf minreq", "RecordStreamCreated": "maxlength fragsize"},
    11: {"SinkInputInfo": "muted"},
    12: {
        "CreatePlaybackStream": STREAM_FLAGS,
        "CreateRecordStream": STREAM_FLAGS,
        "PlaybackStreamCreated": "sample_spec channel_map sink_index sink_name suspended",
        "RecordStreamCreated": "sample_spec channel_map source_index source_name suspended",
    },
    13: {
        "SetClientName": "proplist",
        "ClientNamed": "index",
        "CreatePlaybackStream": "muted adjust_latency proplist",
        "CreateRecordStream": "peak_detect adjust_latency proplist direct_on_input",
        "CreateUploadStream": "proplist",
        "PlaybackStreamCreated": "latency",
        "RecordStreamCreated": "latency",
        "PlaybackLatency": "underrun_for playing_for",
        "SetPlaybackStreamBufferAttr": "adjust_latency",
        "SetRecordStreamBufferAttr": "adjust_latency",
        "PlaybackBufferAttrSet": "latency",
        "RecordBufferAttrSet": "latency",
        "PlaybackStreamMoved": "maxlength tlength prebuf minreq latency",
        "RecordStreamMoved": "maxlength fragsize latency",
        "PlaySample": "proplist",
        "SamplePlayed": "index",
        "SinkInfo": "proplist configured_latency",
        "SourceInfo": "proplist configured_latency",
        "ClientInfo": "proplist",
        "SinkInputInfo": "proplist",
        "SourceOutputInfo": "proplist",
        "SampleInfo": "proplist",
    },
    14: {
        "CreatePlaybackStream": "volume_set early_requests",
        "CreateRecordStream": "early_requests",
        "SetPlaybackStreamBufferAttr": "early_requests",
        "SetRecordStreamBufferAttr": "early_requests",
    },
    15: {
        "CreatePlaybackStream": "muted_set dont_inhibit_auto_suspend fail_on_suspend",
        "CreateRecordStream": "dont_inhibit_auto_suspend fail_on_suspend",
        "ServerInfo": "channel_map",
        "SinkInfo": DEVICE_SINCE_15,
        "SourceInfo": DEVICE_SINCE_15,
        "ModuleInfo": "proplist",
    },
    16: {"SinkInfo": "ports active_port", "SourceInfo": "ports active_port"},
    17: {"CreatePlaybackStream": "relative_volume"},
    18: {"CreatePlaybackStream": "passthrough"},
    19: {"SinkInputInfo": "corked", "SourceOutputInfo": "corked"},
    20: {"SinkInputInfo": "has_volume volume_writable"},
    21: {
        "CreatePlaybackStream": "formats",
        "PlaybackStreamCreated": "format",
        "SinkInfo": "formats",
        "SinkInputInfo": "format",
    },
    22: {
        "CreateRecordStream": "formats volume muted volume_set muted_set relative_volume passthrough",
        "RecordStreamCreated": "format",
        "SourceInfo": "formats",
        "SourceOutputInfo": "volume muted has_volume volume_writable format",
    },
    23: {"Underflow": "read_index"},
    24: {"PortInfo": "available"},
    26: {"CardInfo": "ports"},
    27: {"CardPort": "latency_offset"},
    29: {"CardProfile": "available"},
    34: {"PortInfo": "availability_group type", "CardPort": "availability_group type"},
}
WENT_WITH = {
    13: {"SetClientName": "name", "CreatePlaybackStream": "name", "CreateRecordStream": "name"},
    15: {"ModuleInfo": "auto_unload"},
}
RECORDS = [catalog.PortInfo, catalog.CardPort, catalog.CardProfile]


def fields_where(bound: str, version: int) -> dict[str, str]:
    """Messages and their fields whose `since` or `until` is this version."""
    found = {
        cls.__name__: " ".join(f.name for f in fields_of(cls) if getattr(f, bound) == version)
        for cls in [*EVERY, *RECORDS]
    }
    return {name: fields for name, fields in found.items() if fields}


@pytest.mark.parametrize("version", range(OLDEST, NEWEST + 1))
def test_what_each_version_brought_and_took(version: int) -> None:
    assert fields_where("since", version) == CAME_WITH.get(version, {})
    assert fields_where("until", version) == WENT_WITH.get(version, {})
