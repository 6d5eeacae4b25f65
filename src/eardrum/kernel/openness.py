"""What a sound server would let a program do, found out by asking it, so that it is the same afterwards.

Some questions only read. The others name what does not exist (a client, a module, a device): a server that says so has
looked for it, and so would have done it; who may not is told that instead. Only to record is really tried, by a stream
that is corked from the beginning and deleted at once.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from eardrum.kernel.client import Client
from eardrum.protocol import catalog as c
from eardrum.protocol.message import Message
from eardrum.terms.audio import MONO, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError, Refused, shown

SHARING = 0xC000_0000  # both kinds of shared memory, in the version that AUTH says
_NO_INDEX = 0xFFFF_FFF0  # of nothing: servers count from 0, and give 0xFFFFFFFF a meaning of its own
_NO_NAME = "eardrum-probe-means-nothing"
_REFUSALS = {PulseError.ACCESS, PulseError.NOTSUPPORTED, PulseError.NOTIMPLEMENTED, PulseError.COMMAND}
_MOST_NAMES = 3
_SPEC = SampleSpec(SampleFormat.S16LE, 1, 8000)


class Verdict(enum.StrEnum):
    """On one question, and on a server as a whole."""

    OPEN = "open"  # it concerns others, or the machine
    OUTLET = "outlet"  # it concerns the outlet alone that this program is on
    CLOSED = "closed"


@dataclass(frozen=True)
class Finding:
    """One question, the verdict, and a line on what was heard."""

    question: str
    verdict: Verdict
    said: str


@dataclass(frozen=True)
class Openness:
    """All that was found out. `server` is its name and version, as it says them."""

    server: str
    protocol: int
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """OPEN if anything is; OUTLET if the server says that it is one and nothing is open."""
        verdicts = {finding.verdict for finding in self.findings}
        return next((verdict for verdict in Verdict if verdict in verdicts), Verdict.CLOSED)


def examine(client: Client, other: Client, shared: int) -> Openness:
    """Ask a server all questions. `other` is a second program on it, `shared` what a third was offered of SHARING.

    Raises Unreachable when the server stops answering, Refused if it does not even tell its name.
    """
    info: Any = client.ask(c.GetServerInfo())
    questions = _Questions(client, other, shared, info)
    return Openness(
        f"{shown(info.package_name or 'unnamed')} {shown(info.package_version or '')}".rstrip(),
        client.version,
        tuple(Finding(text, *ask(questions)) for text, ask in _QUESTIONS.items()),
    )


_Found = tuple[Verdict, str]


class _Questions:
    """One method for each. What is allowed on an outlet concerns that outlet only: there it is at most OUTLET."""

    def __init__(self, client: Client, other: Client, shared: int, info: Any) -> None:
        self._client = client
        self._other = other
        self._shared = shared
        self._info = info
        self._is_outlet = (info.package_name, info.user_name) == ("eardrum", "eardrum")
        self._allowed = Verdict.OUTLET if self._is_outlet else Verdict.OPEN

    def programs(self) -> _Found:
        clients = self._list(c.GetClientInfoList())
        others = [item for item in clients if item.index not in (self._client.index, self._other.index)]
        if not others and self._other.index not in [item.index for item in clients]:
            return Verdict.CLOSED, "none"
        seen = "those of this outlet" if self._is_outlet else "all, and what they play"
        return self._allowed, f"{seen}; now {_some([item.name for item in others])}"

    def microphone(self) -> _Found:
        return self._record([source for source in self._sources() if source.monitor_of_sink_index is None], "")

    def monitor(self) -> _Found:
        what = "what this outlet plays" if self._is_outlet else "all that plays there"
        sources = [source for source in self._sources() if source.monitor_of_sink_index is not None]
        return self._record(sources, f", which has {what}")

    def ending(self) -> _Found:
        error = self._error(c.KillClient(index=_NO_INDEX))
        if error in _REFUSALS:
            return Verdict.CLOSED, f"refused: {error.name}"
        return self._allowed, "those of this outlet" if self._is_outlet else "any of them"

    def modules(self) -> _Found:
        error = self._error(c.LoadModule(name=f"module-{_NO_NAME}"))
        if error in _REFUSALS:
            return Verdict.CLOSED, f"refused: {error.name}"
        if self._is_outlet:
            return Verdict.OUTLET, "emulated ones"
        untold = error is PulseError.MODINITFAILED  # which PulseAudio says to everything
        return Verdict.OPEN, f"any{', unless --disallow-module-loading is set: it does not tell' if untold else ''}"

    def devices(self) -> _Found:
        asked: dict[str, Message] = {
            "volumes": c.SetSinkVolume(index=_NO_INDEX, volume=(VOLUME_NORM,)),
            "which one is the default": c.SetDefaultSink(name=_NO_NAME),
        }
        allowed = [what for what, message in asked.items() if self._error(message) not in _REFUSALS]
        if not allowed:
            return Verdict.CLOSED, "refused"
        return self._allowed, f"{', '.join(allowed)}{'; of this outlet' if self._is_outlet else ''}"

    def names(self) -> _Found:
        user, host = (shown(name or "") for name in (self._info.user_name, self._info.host_name))
        if self._is_outlet:
            return Verdict.OUTLET, f"the outlet's name, {host}"
        told = [f"user {user}" if user else "", f"host {host}" if host else ""]
        told += [f"cookie {self._info.cookie:08x}" if self._info.cookie else ""]
        for what, message in {"module": c.GetModuleInfoList(), "sound card": c.GetCardInfoList()}.items():
            told += [f"{number} {what}{'s' if number > 1 else ''}" if (number := len(self._list(message))) else ""]
        return (Verdict.OPEN, ", ".join(filter(None, told))) if any(told) else (Verdict.CLOSED, "nothing")

    def memory(self) -> _Found:
        return (self._allowed, "offered, for both to write to") if self._shared else (Verdict.CLOSED, "not offered")

    def _sources(self) -> list[Any]:
        """Those that a program gets when it names none come first."""
        usual = self._info.default_source
        return sorted(self._list(c.GetSourceInfoList()), key=lambda source: source.name != usual)

    def _record(self, sources: Sequence[Any], what: str) -> _Found:
        said = "there is none"
        for source in sources:
            try:
                self._try_to_record(source.index)
            except Refused as refused:
                said = f"refused: {refused.error.name}"
            else:
                return self._allowed, shown(source.description or source.name) + what
        return Verdict.CLOSED, said

    def _try_to_record(self, source: int) -> None:
        """Raises Refused."""
        stream: Any = self._client.ask(
            c.CreateRecordStream(
                name="probe",
                sample_spec=_SPEC,
                channel_map=MONO,
                source_index=source,
                corked=True,
                dont_inhibit_auto_suspend=True,
                proplist={"media.name": b"eardrum probe\0"},
            )
        )
        self._client.ask(c.DeleteRecordStream(channel=stream.channel))

    def _error(self, message: Message) -> PulseError:
        """What is wrong with a message that cannot be obeyed."""
        try:
            self._client.ask(message)
        except Refused as refused:
            return refused.error
        return PulseError.UNKNOWN

    def _list(self, message: Message) -> list[Any]:
        """Nothing, if it is refused."""
        try:
            listed: Any = self._client.ask(message)
        except Refused:
            return []
        items: list[Any] = listed.items
        return items


_QUESTIONS: dict[str, Callable[[_Questions], _Found]] = {
    "see other programs": _Questions.programs,
    "record a microphone": _Questions.microphone,
    "hear what plays": _Questions.monitor,
    "end other programs": _Questions.ending,
    "load modules": _Questions.modules,
    "change devices": _Questions.devices,
    "learn who and where": _Questions.names,
    "share memory": _Questions.memory,
}


def _some(names: Sequence[str | None]) -> str:
    """How many there are, and a few names."""
    if not names:
        return "none"
    told = ", ".join(dict.fromkeys(shown(name or "unnamed") for name in names[:_MOST_NAMES]))
    return f"{len(names)}: {told}{', …' if len(names) > _MOST_NAMES else ''}"
