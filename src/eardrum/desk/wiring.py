"""What a person asked an outlet to be, and how the next desk learns of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping

import msgspec

from eardrum.desk.knobs import Knobs
from eardrum.kernel.outlet_directory import Access, Runtime
from eardrum.terms.budget import Budget
from eardrum.terms.errors import Complaint
from eardrum.terms.levels import absolute
from eardrum.terms.names import WireEnd, check_heard, checked_name, input_end, output_end

REMEMBERED = "outlets.json"
_MODES = ("0666", "0660", "0600")


class Wiring(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An outlet as it was asked for. Paths in wire ends are absolute."""

    name: str
    output: str = "host"
    input: str | None = None
    mode: str = "0666"
    group: str | None = None
    modules: bool = False  # programs may load the emulated modules
    hear: bool = False  # the host's monitors may be its microphone
    ceiling: str | None = None  # the highest level of a stream: 80%, -6dB
    gate: bool | None = None  # between its worker and the host's server there is a gate; None: as the desk does it
    budget: dict[str, int | float] = {}  # limits that are other than the desk's

    def checked(self) -> Wiring:
        """Itself. Raises Complaint if no outlet can be like that."""
        for _, check in self.checks():
            check()
        return self

    def checks(self) -> tuple[tuple[str, Callable[[], object]], ...]:
        """What must hold of each field; what is called raises Complaint if it does not."""
        return (
            ("name", lambda: checked_name(self.name)),
            ("output", lambda: _check_path(self.output_end())),
            ("input", self._check_input),
            ("mode", self.access),
            ("group", lambda: self.access().group_id()),
            ("ceiling", self.highest),
            ("budget", lambda: Budget().but(self.budget)),
        )

    def _check_input(self) -> None:
        end = self.input_end()
        if end is not None:
            _check_path(end)
        check_heard(end, self.hear)

    def output_end(self) -> WireEnd:
        return output_end(self.output)

    def input_end(self) -> WireEnd | None:
        return None if self.input is None else input_end(self.input)

    def highest(self) -> int | None:
        """The ceiling on PulseAudio's scale. Raises Complaint."""
        return None if self.ceiling is None else absolute(self.ceiling)

    def access(self) -> Access:
        """Who may connect. Raises Complaint."""
        if self.mode not in _MODES:
            raise Complaint(f"mode {self.mode!r}: use {', '.join(_MODES)}", status=2)
        return Access(int(self.mode, 8), self.group)


def _check_path(end: WireEnd) -> None:
    if end.has_path and not end.argument.startswith("/"):
        raise Complaint(f"{str(end)!r}: the path must be absolute", status=2)


class Remembered(msgspec.Struct, forbid_unknown_fields=True):
    """What the next desk in a runtime directory opens by itself: outlets with their knobs, names of kept rooms."""

    outlets: list[Wiring] = []
    rooms: list[str] = []
    knobs: dict[str, Knobs] = {}  # by the name of an outlet, also of one that is closed


def remember(
    runtime: Runtime, outlets: Iterable[Wiring], rooms: Iterable[str] = (), knobs: Mapping[str, Knobs] | None = None
) -> None:
    """Replace what is remembered. Raises Complaint."""
    new = REMEMBERED + ".new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    text = msgspec.json.format(
        msgspec.json.encode(Remembered(list(outlets), sorted(rooms), dict(knobs or {}))), indent=2
    )
    try:
        descriptor = os.open(new, flags, 0o600, dir_fd=runtime.descriptor)
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)  # whatever the umask is
            file.write(text + b"\n")
        os.replace(new, REMEMBERED, src_dir_fd=runtime.descriptor, dst_dir_fd=runtime.descriptor)
    except OSError as error:
        raise Complaint(f"{runtime.path / REMEMBERED}: {error.strerror}; make room or check its mode") from None


def remembered(runtime: Runtime) -> Remembered:
    """What the desk before us had open. Raises Complaint if that cannot be read."""
    path = runtime.path / REMEMBERED
    try:
        descriptor = os.open(REMEMBERED, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=runtime.descriptor)
        with open(descriptor, "rb") as file:
            found = msgspec.json.decode(file.read(), type=Remembered)
        for wiring in found.outlets:
            wiring.checked()
        for room in found.rooms:
            checked_name(room, "room")
        return found
    except FileNotFoundError:
        return Remembered()
    except OSError as error:
        raise Complaint(f"{path}: {error.strerror}; repair or remove it") from None
    except (msgspec.DecodeError, Complaint) as problem:
        raise Complaint(f"{path}: {problem}; repair or remove it") from None
