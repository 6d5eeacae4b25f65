"""What three modules add to the protocol: memories of streams, of devices' formats, and of devices by role.

Each begins as Extension does, with index, name and subcommand. An outlet has no modules and refuses all of it; here it
is known so that it can be read and shown.
"""

from typing import Annotated

from eardrum.protocol.catalog.hello import Ack
from eardrum.protocol.kinds import (
    STRING_,
    U32,
    U32_,
    Bool,
    ChannelMap,
    Counted,
    Formats,
    Str,
    ToEnd,
    Volume,
)
from eardrum.protocol.message import ExtensionMessage, Message, Record, extension, record, reply

STREAM_RESTORE = "module-stream-restore"
DEVICE_RESTORE = "module-device-restore"
DEVICE_MANAGER = "module-device-manager"

Names = Annotated[list[str | None], ToEnd(STRING_)]


@reply
class ExtensionVersion(Message):
    version: U32  # of what the module understands; 1 for all of these


# -- stream-restore: volume, mute and device of streams that have gone


@record
class StreamRestoreEntry(Record):
    """`name` tells the kind of stream: sink-input-by-application-name:mpv. Without channels there is no volume."""

    name: Str
    channel_map: ChannelMap
    volume: Volume
    device: Str
    muted: Bool


@reply
class StreamRestoreEntries(Message):
    entries: Annotated[list[StreamRestoreEntry], ToEnd(StreamRestoreEntry)]


@extension(STREAM_RESTORE, 0, reply=ExtensionVersion)
class StreamRestoreTest(ExtensionMessage):
    pass


@extension(STREAM_RESTORE, 1, reply=StreamRestoreEntries)
class StreamRestoreRead(ExtensionMessage):
    """Answered with every program that was ever heard."""


@extension(STREAM_RESTORE, 2, reply=Ack)
class StreamRestoreWrite(ExtensionMessage):
    """`mode` 0 forgets all others first, 1 adds what is missing, 2 replaces what is there."""

    mode: U32
    apply: Bool  # also to streams that play now
    entries: Annotated[list[StreamRestoreEntry], ToEnd(StreamRestoreEntry)]


@extension(STREAM_RESTORE, 3, reply=Ack)
class StreamRestoreDelete(ExtensionMessage):
    names: Names


@extension(STREAM_RESTORE, 4, reply=Ack)
class StreamRestoreSubscribe(ExtensionMessage):
    enable: Bool


@extension(STREAM_RESTORE, 5, sender="server")
class StreamRestoreEvent(ExtensionMessage):
    """An entry has changed."""


# -- device-restore: the formats that a sink takes


@record
class DeviceFormats(Record):
    device_type: U32  # 0 sink, 1 source
    index: U32
    formats: Formats


@reply
class DeviceRestoreFormats(Message):
    devices: Annotated[list[DeviceFormats], ToEnd(DeviceFormats)]


@extension(DEVICE_RESTORE, 0, reply=ExtensionVersion)
class DeviceRestoreTest(ExtensionMessage):
    pass


@extension(DEVICE_RESTORE, 1, reply=Ack)
class DeviceRestoreSubscribe(ExtensionMessage):
    enable: Bool


@extension(DEVICE_RESTORE, 2, sender="server")
class DeviceRestoreEvent(ExtensionMessage):
    """The formats of this device have changed."""

    device_type: U32  # 0 sink, 1 source
    device_index: U32


@extension(DEVICE_RESTORE, 3, reply=DeviceRestoreFormats)
class DeviceRestoreReadFormatsAll(ExtensionMessage):
    pass


@extension(DEVICE_RESTORE, 4, reply=DeviceRestoreFormats)
class DeviceRestoreReadFormats(ExtensionMessage):
    """Answered with one device. PulseAudio hangs up when there is no such device."""

    device_type: U32  # sinks only
    device_index: U32


@extension(DEVICE_RESTORE, 5, reply=Ack)
class DeviceRestoreSaveFormats(ExtensionMessage):
    device_type: U32  # sinks only
    device_index: U32
    formats: Formats


# -- device-manager: devices that were ever there, and which of them a role prefers


@record
class RolePriority(Record):
    role: Str
    priority: U32


@record
class ManagedDevice(Record):
    name: Str  # sink:NAME or source:NAME
    description: Str
    icon: Str
    index: U32  # 0xFFFFFFFF: not there now
    priorities: Annotated[list[RolePriority], Counted(RolePriority, U32_)]


@reply
class ManagedDevices(Message):
    devices: Annotated[list[ManagedDevice], ToEnd(ManagedDevice)]


@extension(DEVICE_MANAGER, 0, reply=ExtensionVersion)
class DeviceManagerTest(ExtensionMessage):
    pass


@extension(DEVICE_MANAGER, 1, reply=ManagedDevices)
class DeviceManagerRead(ExtensionMessage):
    pass


@extension(DEVICE_MANAGER, 2, reply=Ack)
class DeviceManagerRename(ExtensionMessage):
    device: Str
    description: Str


@extension(DEVICE_MANAGER, 3, reply=Ack)
class DeviceManagerDelete(ExtensionMessage):
    devices: Names


@extension(DEVICE_MANAGER, 4, reply=Ack)
class DeviceManagerRoleDevicePriorityRouting(ExtensionMessage):
    """Whether streams go to the device that their role prefers."""

    enable: Bool


@extension(DEVICE_MANAGER, 5, reply=Ack)
class DeviceManagerReorder(ExtensionMessage):
    """The devices, all sinks or all sources, that this role prefers, the best first."""

    role: Str
    devices: Annotated[list[str | None], Counted(STRING_, U32_)]


@extension(DEVICE_MANAGER, 6, reply=Ack)
class DeviceManagerSubscribe(ExtensionMessage):
    enable: Bool


@extension(DEVICE_MANAGER, 7, sender="server")
class DeviceManagerEvent(ExtensionMessage):
    """A device has changed."""
