"""The catalogue is complete and true to the table of commands."""

import pytest

from eardrum.protocol import catalog, trace
from eardrum.protocol.message import CATALOG, REPLIES, REPLY, Message, fields_of

TO_CLIENTS_ONLY = {0, 61, 62, 63, 64, 65, 66, 76, 77, 78, 79, 86, 91, 92, 93, 94, 95}
BOTH = {87, 101, 102, 103}
REFERENCES = {
    "sink", "source", "client", "module", "sink_input", "source_output", "sample", "card",
    "playback_stream", "record_stream", "upload_stream", "event",
}  # fmt: skip


def test_every_code_is_declared_or_said_by_nobody() -> None:
    assert sorted([*CATALOG, *catalog.NEVER_SAID, REPLY]) == list(range(105))


def test_every_message_can_be_imported_from_the_catalogue() -> None:
    for cls in [*CATALOG.values(), *REPLIES]:
        assert getattr(catalog, cls.__name__) is cls
        assert cls.__name__ in catalog.__all__


def test_who_says_what() -> None:
    assert {code for code, cls in CATALOG.items() if cls.SENDER == "server"} == TO_CLIENTS_ONLY
    assert {code for code, cls in CATALOG.items() if cls.SENDER == "both"} == BOTH


@pytest.mark.parametrize("cls", CATALOG.values(), ids=trace.wire_name)
def test_what_a_client_asks_is_answered(cls: type[Message]) -> None:
    unanswered = cls.SENDER == "server" or cls in (
        catalog.EnableSrbchannel, catalog.DisableSrbchannel, catalog.RegisterMemfdShmid
    )  # fmt: skip
    assert (cls.ANSWER is None) is unanswered
    assert cls.ANSWER is None or cls.ANSWER in REPLIES


def test_every_reply_answers_something() -> None:
    assert {cls.ANSWER for cls in CATALOG.values()} - {None} == set(REPLIES)


def test_references_point_at_known_objects() -> None:
    for cls in [*CATALOG.values(), *REPLIES]:
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
