"""The words of `pacmd` and of PulseAudio's start-up scripts that scripts in images use, said to a running server."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable, Sequence
from typing import Any

from eardrum.kernel.client import Client
from eardrum.protocol import catalog as c
from eardrum.protocol.message import Message
from eardrum.terms.errors import Complaint, Refused, shown
from eardrum.upstream.client_conf import boolean

Say = Callable[..., Message]


def obey_line(client: Client, line: str) -> str:
    """Do one line of a script; the text it leads to. Comments and directives lead to none. Raises Complaint."""
    if not line.strip() or line.lstrip()[0] in "#.":
        return ""
    if line.split(None, 1)[0] == "load-module":
        words = line.split(None, 2)  # the arguments' quotes are for the module
    else:
        words = shlex.split(line)
    return obey(client, words)


def obey(client: Client, words: Sequence[str]) -> str:
    """Do one command; the text it leads to. Raises Complaint."""
    name, *arguments = words
    command = _COMMANDS.get(name)
    if command is None:
        raise Complaint(f"{name}: not among the commands known here: {', '.join(sorted(_COMMANDS))}", status=2)
    try:
        inspect.signature(command).bind(client, *arguments)
    except TypeError:
        raise Complaint(f"{' '.join(words)}: too few or too many words", status=2) from None
    try:
        return command(client, *arguments)
    except Refused as refusal:
        raise Complaint(f"{' '.join(words)}: the server refused this: {refusal.error.name}") from None


def _load(client: Client, name: str, *arguments: str) -> str:
    client.ask(c.LoadModule(name=name, argument=" ".join(arguments)))
    return ""


def _unload(client: Client, module: str) -> str:
    listed: Any = client.ask(c.GetModuleInfoList())
    indices = [item.index for item in listed.items if module in (str(item.index), item.name)]
    for index in indices:
        client.ask(c.UnloadModule(index=index))
    return "" if indices else f"Module {module} is not loaded.\n"  # scripts go on


def _device(say: Say, field: str, read: Callable[[str], object]) -> Callable[..., str]:
    def do(client: Client, device: str, value: str) -> str:
        client.ask(say(name=device, **{field: read(value)}))
        return ""

    return do


def _stream(say: Say, to: str) -> Callable[..., str]:
    def do(client: Client, index: str, device: str) -> str:
        client.ask(say(index=_number(index), **{to: device}))
        return ""

    return do


def _ended(say: Say) -> Callable[..., str]:
    def do(client: Client, index: str) -> str:
        client.ask(say(index=_number(index)))
        return ""

    return do


def _described(look_up: Say) -> Callable[..., str]:
    """Descriptions stay as the module was told; scripts that set one afterwards go on."""

    def do(client: Client, device: str, *properties: str) -> str:
        client.ask(look_up(name=device))
        return f"The properties of {device} stay as they were made.\n"

    return do


def _number(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise Complaint(f"{value}: no index of a stream", status=2)
    return int(value)


def _default(say: Say) -> Callable[..., str]:
    def do(client: Client, device: str) -> str:
        client.ask(say(name=device))
        return ""

    return do


def _volume(value: str) -> tuple[int, ...]:
    try:
        return (int(value, 0),)
    except ValueError:
        raise Complaint(f"{value}: no volume; 65536 is 100 %", status=2) from None


def _truth(value: str) -> bool:
    said = boolean(value)
    if said is None:
        raise Complaint(f"{value}: use 1 or 0", status=2)
    return said


def _list(what: str, ask: Message, default: str = "") -> Callable[..., str]:
    """As `pacmd` prints a list, as far as scripts read it: index, name, and a star for the default."""

    def do(client: Client) -> str:
        items = list(client.ask(ask).items)  # type: ignore[attr-defined]
        chosen = getattr(client.ask(c.GetServerInfo()), default) if default else None
        lines = [f"{len(items)} {what}(s) available."]
        for item in items:
            star = "*" if chosen is not None and item.name == chosen else " "
            lines += [f"  {star} index: {item.index}", "\t" + shown(f"name: <{item.name}>")]
        return "\n".join(lines) + "\n"

    return do


def _exit(client: Client) -> str:
    client.ask(c.Exit())
    return ""


_COMMANDS: dict[str, Callable[..., str]] = {
    "load-module": _load,
    "unload-module": _unload,
    "set-default-sink": _default(c.SetDefaultSink),
    "set-default-source": _default(c.SetDefaultSource),
    "set-sink-volume": _device(c.SetSinkVolume, "volume", _volume),
    "set-source-volume": _device(c.SetSourceVolume, "volume", _volume),
    "set-sink-mute": _device(c.SetSinkMute, "muted", _truth),
    "set-source-mute": _device(c.SetSourceMute, "muted", _truth),
    "move-sink-input": _stream(c.MoveSinkInput, "sink_name"),
    "move-source-output": _stream(c.MoveSourceOutput, "source_name"),
    "kill-sink-input": _ended(c.KillSinkInput),
    "kill-source-output": _ended(c.KillSourceOutput),
    "update-sink-proplist": _described(c.LookupSink),
    "update-source-proplist": _described(c.LookupSource),
    "suspend-sink": _device(c.SuspendSink, "suspend", _truth),
    "suspend-source": _device(c.SuspendSource, "suspend", _truth),
    "list-sinks": _list("sink", c.GetSinkInfoList(), "default_sink"),
    "list-sources": _list("source", c.GetSourceInfoList(), "default_source"),
    "list-modules": _list("module", c.GetModuleInfoList()),
    "list-clients": _list("client", c.GetClientInfoList()),
    "list-sink-inputs": _list("sink input", c.GetSinkInputInfoList()),
    "list-source-outputs": _list("source output", c.GetSourceOutputInfoList()),
    "exit": _exit,
}
