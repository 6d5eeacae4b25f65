"""What the person has set of an outlet: volume and mute of its wires. Programs cannot reach it."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import msgspec

from eardrum.server.events import INPUT, OUTPUT
from eardrum.terms.errors import Complaint
from eardrum.terms.levels import adjusted, percent
from eardrum.worker.records import MUTED, Kind, Record
from eardrum.worker.spec import Knob

MUTES = ("on", "off", "toggle")


class Turning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do to a knob: the volume as typed (`60%`, `+5%`, `-6dB`), one of MUTES."""

    volume: str | None = None
    mute: str | None = None


class Knobs(msgspec.Struct, forbid_unknown_fields=True):
    """Of an outlet, by wire; None: the person has set nothing."""

    output: Knob | None = None
    input: Knob | None = None

    def __getitem__(self, wire: int) -> Knob | None:
        return self.input if wire == INPUT else self.output

    def turn(self, wire: int, turning: Turning) -> Record:
        """Returns what the worker must be told. Raises Complaint."""
        knob = self[wire] or Knob()
        volume = knob.volume if turning.volume is None else adjusted(turning.volume, knob.volume)
        muted = knob.muted if turning.mute is None else _muted(turning.mute, knob.muted)
        self._set(wire, Knob(volume, muted))
        return Record(Kind.KNOB, wire | (MUTED if muted else 0), volume)

    def reset(self, levelled: Container[int] = ()) -> None:
        """The outlet is another one. Where a level was set, also of a wire that is `levelled` by programs, it is said
        from now on, for the host's server may remember it for this name.
        """
        for wire in (OUTPUT, INPUT):
            if self[wire] or wire in levelled:
                self._set(wire, Knob())

    def _set(self, wire: int, knob: Knob) -> None:
        if wire == INPUT:
            self.input = knob
        else:
            self.output = knob

    def __bool__(self) -> bool:
        return self != Knobs()

    def as_json(self, wire: int) -> dict[str, Any]:
        knob = self[wire] or Knob()
        return {"volume": knob.volume, "percent": percent(knob.volume), "muted": knob.muted}


def _muted(mute: str, before: bool) -> bool:
    if mute not in MUTES:
        raise Complaint(f"mute {mute!r}: use {', '.join(MUTES)}", status=2)
    return not before if mute == "toggle" else mute == "on"
