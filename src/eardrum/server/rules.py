"""What may pass: one row for every command that a client can say, and the only place where it is judged.

A row says which rights allow the command (any of them will do), and which of its fields point at objects. `judge`
checks the rights and finds the objects in the client's own view, so the code that answers never looks for anything
by a number or name that a client said. What has no row, or a row of nobody, is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from eardrum.protocol import catalog as c
from eardrum.protocol.message import Message
from eardrum.server.objects import Client, Sink, Source
from eardrum.server.rights import Right
from eardrum.server.samples import Sample
from eardrum.terms.errors import PulseError, Refused
from eardrum.terms.names import valid_device_name

Find = Callable[[Client, Any], object]  # the object that a message points at; raises Refused


class Rule(NamedTuple):
    """One row. `needs` NONE: nobody may say it."""

    needs: Right
    finds: tuple[Find, ...] = ()
    before_auth: bool = False
    hang_up: bool = False  # not a command that a client of ours can have reason to say


def judge(client: Client, message: Message) -> list[object] | None:
    """The objects that the message points at; None: end the connection. Raises Refused."""
    rule = RULES.get(type(message))
    if rule is None or rule.hang_up:
        return None
    if not client.version and not rule.before_auth:
        raise Refused(PulseError.ACCESS, "before AUTH")
    if not client.rights & rule.needs:
        raise Refused(PulseError.ACCESS, f"needs {rule.needs.name}")
    return [find(client, message) for find in rule.finds]


# -- finding objects: what is not in the client's own view is NOENTITY, as if it did not exist


def _device(devices: list[Any], default: Any, index: int | None, name: str | None, wildcard: str) -> Any:
    """Of `devices` the one with this index or name; `default` for the wildcard or neither. A name may be a number."""
    if index is not None and name is not None:
        raise Refused(PulseError.INVALID, "both index and name")
    if name is not None and name != wildcard:
        if not valid_device_name(name):
            raise Refused(PulseError.INVALID, "no name of a device")
        if name.isdigit():
            index = int(name)
        else:
            default = next((device for device in devices if device.name == name), None)
    if index is not None:
        default = next((device for device in devices if device.index == index), None)
    if default is None:
        raise Refused(PulseError.NOENTITY, "no such device")
    return default


def _sink_of(client: Client, index: int | None, name: str | None) -> Sink:
    view = client.view
    found: Sink = _device(list(view.sinks.values()), view.default_sink, index, name, "@DEFAULT_SINK@")
    return found


def _source_of(client: Client, index: int | None, name: str | None) -> Source:
    sources = sources_of(client)
    default = default_source_of(client)
    if name == "@DEFAULT_MONITOR@":
        default = next((source for source in sources if source.monitor_of is client.view.default_sink), None)
        name = "@DEFAULT_SOURCE@"
    found: Source = _device(sources, default, index, name, "@DEFAULT_SOURCE@")
    return found


def _may_hear(client: Client, source: Source) -> bool:
    """What the outlet itself plays is part of PLAY: its monitors, and sources that its programs made of them.

    Without the right a source does not exist.
    """
    own = source.monitor_of is not None or source.module is not None
    needed = Right.PLAY if own else Right.RECORD
    return bool(client.rights & needed)


def sources_of(client: Client) -> list[Source]:
    """The sources that exist for this client."""
    return [source for source in client.view.sources.values() if _may_hear(client, source)]


def default_source_of(client: Client) -> Source | None:
    """The source for those who name none, if it exists for this client."""
    default = client.view.default_source
    return default if default is not None and _may_hear(client, default) else None


def _sink(client: Client, m: Any) -> Sink:
    return _sink_of(client, m.index, m.name)


def _source(client: Client, m: Any) -> Source:
    return _source_of(client, m.index, m.name)


def _sink_named(client: Client, m: Any) -> Sink:
    return _sink_of(client, None, _required(m.name))


def _source_named(client: Client, m: Any) -> Source:
    return _source_of(client, None, _required(m.name))


def _new_default_sink(client: Client, m: Any) -> Sink | None:
    return None if m.name is None else _sink_of(client, None, _own_name(m.name))


def _new_default_source(client: Client, m: Any) -> Source | None:
    return None if m.name is None else _source_of(client, None, _own_name(m.name))


def _own_name(name: str) -> str:
    """The name of one device, whichever is the default."""
    if name.startswith("@"):
        raise Refused(PulseError.INVALID, "no name of a device")
    return name


def _one_sink(client: Client, m: Any) -> Sink:
    _said(m.index, m.name)
    return _sink(client, m)


def _one_source(client: Client, m: Any) -> Source:
    _said(m.index, m.name)
    return _source(client, m)


def _sink_played_to(client: Client, m: Any) -> Sink:
    return _sink_of(client, m.sink_index, m.sink_name)


def _sink_moved_to(client: Client, m: Any) -> Sink:
    _said(m.sink_index, m.sink_name)
    return _sink_played_to(client, m)


def _source_recorded(client: Client, m: Any) -> Source:
    return _source_of(client, m.source_index, m.source_name)


def _source_heard(client: Client, m: Any) -> Source:
    """Who records one sink input and names no source means the monitor of its sink."""
    alone = client.view.sink_inputs.get(m.direct_on_input)
    if alone is not None and m.source_index is None and m.source_name is None:
        monitor = client.view.monitor_of(alone.sink)
        if monitor is not None and _may_hear(client, monitor):
            return monitor
    return _source_recorded(client, m)


def _source_moved_to(client: Client, m: Any) -> Source:
    _said(m.source_index, m.source_name)
    return _source_recorded(client, m)


def _required(name: str | None) -> str:
    if name is None:
        raise Refused(PulseError.INVALID, "no name")
    return name


def _sinks_suspended(client: Client, m: Any) -> list[Sink]:
    """An empty name means all of them."""
    return list(client.view.sinks.values()) if m.index is None and m.name == "" else [_one_sink(client, m)]


def _sources_suspended(client: Client, m: Any) -> list[Source]:
    return sources_of(client) if m.index is None and m.name == "" else [_one_source(client, m)]


def _said(index: int | None, name: str | None) -> None:
    """There is no default for this command."""
    if index is None and name is None:
        raise Refused(PulseError.INVALID, "neither index nor name")


def _in(objects: str, no_index: PulseError = PulseError.INVALID) -> Find:
    """Find by `index` in one of the view's dictionaries; `no_index` answers 0xFFFFFFFF."""

    def find(client: Client, m: Any) -> object:
        if m.index is None:
            raise Refused(no_index, "no index")
        found = getattr(client.view, objects).get(m.index)
        if found is None:
            raise Refused(PulseError.NOENTITY, f"not in {objects}")
        return found

    return find


def _sample(client: Client, m: Any) -> Sample:
    """By `name`, which may not be a number, or by `index`, which some of the commands have."""
    index = getattr(m, "index", None)
    if (index is None) == (m.name is None) or (m.name is not None and not valid_device_name(m.name)):
        raise Refused(PulseError.INVALID, "not one index or one name")
    samples = client.view.samples
    by_index = (sample for sample in samples.values() if sample.index == index)
    found = next(by_index, None) if m.name is None else samples.get(m.name)
    if found is None:
        raise Refused(PulseError.NOENTITY, "no such sample")
    return found


def _on_connection(streams: str) -> Find:
    """Find by `channel` among the connection's own streams."""

    def find(client: Client, m: Any) -> object:
        found = getattr(client, streams).get(m.channel)
        if found is None:
            raise Refused(PulseError.NOENTITY, "no such stream")
        return found

    return find


def _nothing(client: Client, m: Any) -> object:
    """Kinds of objects that no view has: modules, cards."""
    index, name = getattr(m, "index", None), getattr(m, "name", None)
    named_once = hasattr(m, "channel") or (index is None) != (name is None)
    if not named_once or (name is not None and not valid_device_name(name)):
        raise Refused(PulseError.INVALID, "not one index or one name")
    raise Refused(PulseError.NOENTITY, "none exist")


# -- the rows

_CONNECT = Right.CONNECT
_LOOK = Right.LOOK
_PLAY = Right.PLAY
_RECORD = Right.RECORD | Right.PLAY  # the input needs RECORD, the own monitor PLAY: see _may_hear
_EITHER = Right.PLAY | Right.RECORD
_OWN = Right.OWN
_MODULES = Right.MODULES | Right.OWN
_playback = _on_connection("playback")
_record = _on_connection("record")
_upload = _on_connection("uploads")

RULES: dict[type[Message], Rule] = {
    # who one is
    c.Auth: Rule(_CONNECT, before_auth=True),
    c.SetClientName: Rule(_CONNECT, before_auth=True),
    c.UpdateClientProplist: Rule(_CONNECT),
    c.RemoveClientProplist: Rule(_CONNECT),
    c.Stat: Rule(_CONNECT),
    # look
    c.GetServerInfo: Rule(_LOOK),
    c.GetSinkInfo: Rule(_LOOK, (_sink,)),
    c.GetSinkInfoList: Rule(_LOOK),
    c.GetSourceInfo: Rule(_LOOK, (_source,)),
    c.GetSourceInfoList: Rule(_LOOK),
    c.GetClientInfo: Rule(_LOOK, (_in("clients"),)),
    c.GetClientInfoList: Rule(_LOOK),
    c.GetSinkInputInfo: Rule(_LOOK, (_in("sink_inputs"),)),
    c.GetSinkInputInfoList: Rule(_LOOK),
    c.GetSourceOutputInfo: Rule(_LOOK, (_in("source_outputs"),)),
    c.GetSourceOutputInfoList: Rule(_LOOK),
    c.GetModuleInfo: Rule(_LOOK, (_in("modules"),)),
    c.GetModuleInfoList: Rule(_LOOK),
    c.GetSampleInfo: Rule(_LOOK, (_sample,)),
    c.GetSampleInfoList: Rule(_LOOK),
    c.GetCardInfo: Rule(_LOOK, (_nothing,)),
    c.GetCardInfoList: Rule(_LOOK),
    c.LookupSink: Rule(_LOOK, (_sink_named,)),
    c.LookupSource: Rule(_LOOK, (_source_named,)),
    c.Subscribe: Rule(_LOOK),
    # play
    c.CreatePlaybackStream: Rule(_PLAY, (_sink_played_to,)),
    c.DeletePlaybackStream: Rule(_PLAY, (_playback,)),
    c.DrainPlaybackStream: Rule(_PLAY, (_playback,)),
    c.GetPlaybackLatency: Rule(_PLAY, (_playback,)),
    c.CorkPlaybackStream: Rule(_PLAY, (_playback,)),
    c.FlushPlaybackStream: Rule(_PLAY, (_playback,)),
    c.TriggerPlaybackStream: Rule(_PLAY, (_playback,)),
    c.PrebufPlaybackStream: Rule(_PLAY, (_playback,)),
    c.SetPlaybackStreamName: Rule(_PLAY, (_playback,)),
    c.SetPlaybackStreamBufferAttr: Rule(_PLAY, (_playback,)),
    c.UpdatePlaybackStreamSampleRate: Rule(_PLAY, (_playback,)),
    c.UpdatePlaybackStreamProplist: Rule(_PLAY, (_playback,)),
    c.RemovePlaybackStreamProplist: Rule(_PLAY, (_playback,)),
    c.SetSinkVolume: Rule(_PLAY, (_one_sink,)),
    c.SetSinkMute: Rule(_PLAY, (_one_sink,)),
    c.SetSinkInputVolume: Rule(_PLAY, (_in("sink_inputs"),)),
    c.SetSinkInputMute: Rule(_PLAY, (_in("sink_inputs"),)),
    c.KillSinkInput: Rule(_PLAY, (_in("sink_inputs", PulseError.NOENTITY),)),
    c.MoveSinkInput: Rule(_PLAY, (_in("sink_inputs"), _sink_moved_to)),
    # record
    c.CreateRecordStream: Rule(_RECORD, (_source_heard,)),
    c.DeleteRecordStream: Rule(_RECORD, (_record,)),
    c.GetRecordLatency: Rule(_RECORD, (_record,)),
    c.CorkRecordStream: Rule(_RECORD, (_record,)),
    c.FlushRecordStream: Rule(_RECORD, (_record,)),
    c.SetRecordStreamName: Rule(_RECORD, (_record,)),
    c.SetRecordStreamBufferAttr: Rule(_RECORD, (_record,)),
    c.UpdateRecordStreamSampleRate: Rule(_RECORD, (_record,)),
    c.UpdateRecordStreamProplist: Rule(_RECORD, (_record,)),
    c.RemoveRecordStreamProplist: Rule(_RECORD, (_record,)),
    c.SetSourceVolume: Rule(_RECORD, (_one_source,)),
    c.SetSourceMute: Rule(_RECORD, (_one_source,)),
    c.SetSourceOutputVolume: Rule(_RECORD, (_in("source_outputs"),)),
    c.SetSourceOutputMute: Rule(_RECORD, (_in("source_outputs"),)),
    c.KillSourceOutput: Rule(_RECORD, (_in("source_outputs", PulseError.NOENTITY),)),
    c.MoveSourceOutput: Rule(_RECORD, (_in("source_outputs"), _source_moved_to)),
    # either
    c.KillClient: Rule(_EITHER, (_in("clients", PulseError.NOENTITY),)),
    # samples
    c.CreateUploadStream: Rule(_PLAY),
    c.DeleteUploadStream: Rule(_PLAY, (_upload,)),
    c.FinishUploadStream: Rule(_PLAY, (_upload,)),
    c.PlaySample: Rule(_PLAY, (_sink_played_to, _sample)),
    c.RemoveSample: Rule(_PLAY, (_sample,)),
    # what only the owner of a server may
    c.Exit: Rule(_OWN),
    c.LoadModule: Rule(_MODULES),
    c.UnloadModule: Rule(_MODULES, (_in("modules", PulseError.NOENTITY),)),
    c.Extension: Rule(_OWN),
    c.StreamRestoreTest: Rule(_OWN),
    c.StreamRestoreRead: Rule(_OWN),
    c.StreamRestoreWrite: Rule(_OWN),
    c.StreamRestoreDelete: Rule(_OWN),
    c.StreamRestoreSubscribe: Rule(_OWN),
    c.DeviceRestoreTest: Rule(_OWN),
    c.DeviceRestoreSubscribe: Rule(_OWN),
    c.DeviceRestoreReadFormatsAll: Rule(_OWN),
    c.DeviceRestoreReadFormats: Rule(_OWN),
    c.DeviceRestoreSaveFormats: Rule(_OWN),
    c.DeviceManagerTest: Rule(_OWN),
    c.DeviceManagerRead: Rule(_OWN),
    c.DeviceManagerRename: Rule(_OWN),
    c.DeviceManagerDelete: Rule(_OWN),
    c.DeviceManagerRoleDevicePriorityRouting: Rule(_OWN),
    c.DeviceManagerReorder: Rule(_OWN),
    c.DeviceManagerSubscribe: Rule(_OWN),
    c.SendObjectMessage: Rule(_OWN),
    c.SetDefaultSink: Rule(_MODULES, (_new_default_sink,)),
    c.SetDefaultSource: Rule(_MODULES, (_new_default_source,)),
    c.SuspendSink: Rule(_MODULES, (_sinks_suspended,)),
    c.SuspendSource: Rule(_MODULES, (_sources_suspended,)),
    c.SetCardProfile: Rule(_OWN, (_nothing,)),
    c.SetSinkPort: Rule(_OWN, (_one_sink,)),
    c.SetSourcePort: Rule(_OWN, (_one_source,)),
    c.SetPortLatencyOffset: Rule(_OWN, (_nothing,)),
    # shared memory: none is offered, so none can be accepted
    c.EnableSrbchannel: Rule(Right.NONE, hang_up=True),
    c.DisableSrbchannel: Rule(Right.NONE, hang_up=True),
    c.RegisterMemfdShmid: Rule(Right.NONE, hang_up=True),
}
