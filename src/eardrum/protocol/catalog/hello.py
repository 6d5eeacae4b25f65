"""Making acquaintance: who speaks which version, who one is, what the server is."""

from eardrum.protocol.kinds import (
    COOKIE_BYTES,
    U32,
    ChannelMap,
    Cookie,
    ErrorCode,
    Proplist,
    SinkName,
    SourceName,
    Spec,
    Str,
    ThisClient,
    VersionWord,
)
from eardrum.protocol.message import Message, command, reply, since, until
from eardrum.terms.audio import STEREO


@command(0, sender="server")
class Error(Message):
    """The command with this tag is refused."""

    code: ErrorCode


@reply
class Ack(Message):
    """Done."""


@command(7, reply=Ack)
class Exit(Message):
    """End the whole server."""


@reply
class AuthReply(Message):
    version: VersionWord  # the server's newest version, whatever the client's is; flag bits as in Auth


@command(8, reply=AuthReply)
class Auth(Message):
    """The first command. `version` holds flags in its upper 16 bits: shared memory (31), memfd (30)."""

    version: VersionWord
    cookie: Cookie = bytes(COOKIE_BYTES)


@reply
class ClientNamed(Message):
    index: ThisClient = since(13, default=0)


@command(9, reply=ClientNamed)
class SetClientName(Message):
    name: Str = until(13, default=None)
    proplist: Proplist = since(13, default={})


@reply
class StatReply(Message):
    """Memory of the server: blocks and bytes in use, blocks and bytes ever allocated, bytes of the sample cache."""

    blocks: U32 = 0
    nbytes: U32 = 0
    blocks_ever: U32 = 0
    nbytes_ever: U32 = 0
    sample_cache_nbytes: U32 = 0


@command(13, reply=StatReply)
class Stat(Message):
    pass


@reply
class ServerInfo(Message):
    package_name: Str
    package_version: Str
    user_name: Str
    host_name: Str
    sample_spec: Spec
    default_sink: SinkName
    default_source: SourceName
    cookie: U32  # a random number of this server's life
    channel_map: ChannelMap = since(15, default=STEREO)


@command(20, reply=ServerInfo)
class GetServerInfo(Message):
    pass
