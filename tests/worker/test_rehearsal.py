"""What the nursery does once, so that its children need not."""

from eardrum.protocol import codec
from eardrum.protocol.catalog import Auth, CreatePlaybackStream, GetServerInfo
from eardrum.protocol.message import NEWEST, OLDEST
from eardrum.worker.rehearsal import rehearse


def test_after_it_the_common_messages_can_be_read_without_writing_a_function():
    rehearse()
    before = codec.decoder.cache_info().currsize
    for cls, version in ((Auth, OLDEST), (GetServerInfo, NEWEST), (CreatePlaybackStream, NEWEST)):
        codec.decoder(cls, version)
    assert codec.decoder.cache_info().currsize == before
