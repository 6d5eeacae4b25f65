"""The knob of a wire: the level that the person sets, behind the devices of an outlet, where no program reaches it."""

from __future__ import annotations

from dataclasses import dataclass

from eardrum.terms.audio import VOLUME_NORM


@dataclass(frozen=True, slots=True)
class Knob:
    """It is in series with all that programs set."""

    volume: int = VOLUME_NORM
    muted: bool = False
    turned: bool = False  # by the person, at any time: what an upstream remembers of levels does not count any more
    ceiling: int | None = None  # the highest level at which a stream may be heard


UNTURNED = Knob()
USUAL = (UNTURNED, UNTURNED)  # of both wires
