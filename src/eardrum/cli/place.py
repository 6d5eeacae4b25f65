"""Where the owner records, plays or sets a level: a room, what an outlet plays, what its microphone hears."""

from __future__ import annotations

from dataclasses import dataclass

from eardrum.terms.errors import Complaint
from eardrum.terms.names import checked_name

ROOM, OUTPUT, INPUT = "room", "output", "input"


@dataclass(frozen=True)
class Place:
    """`room:NAME`, `OUTLET` or `OUTLET/in`."""

    kind: str  # ROOM, OUTPUT or INPUT
    name: str  # of the room or the outlet

    def __str__(self) -> str:
        return {ROOM: f"room:{self.name}", OUTPUT: self.name, INPUT: f"{self.name}/in"}[self.kind]

    def target(self, verb: str) -> str:
        """What the desk is asked for, to `record` here or to `play`, or its `level`."""
        collection = "rooms" if self.kind == ROOM else "outlets"
        return f"/v1/{collection}/{self.name}/{'in/' if self.kind == INPUT else ''}{verb}"

    @property
    def source(self) -> str | None:
        """The source that a guest records; None: the one there is."""
        return None if self.kind == ROOM else self.kind


def place_to_record(text: str) -> Place:
    """Raises Complaint for what names no place."""
    kind, colon, room = text.partition(":")
    if colon and kind == ROOM:
        return Place(ROOM, checked_name(room, "room"))
    outlet, slash, end = text.partition("/")
    if colon or (slash and end != "in"):
        raise Complaint(f"{text!r}: no such place; use room:NAME, OUTLET or OUTLET/in", status=2)
    return Place(INPUT if slash else OUTPUT, checked_name(outlet))


def place_to_play(text: str) -> Place:
    """Raises Complaint for what names no place, or one that nothing can be played into."""
    place = place_to_record(text)
    if place.kind == OUTPUT:
        raise Complaint(f"{text!r}: what an outlet plays is its own; use {text}/in, its microphone, or room:NAME", 2)
    return place


def place_of_level(text: str) -> Place:
    """Raises Complaint for what names no wire of an outlet: `OUTLET`, the same as `OUTLET/out`, or `OUTLET/in`."""
    outlet, slash, end = text.partition("/")
    if ":" in text or (slash and end not in ("in", "out")):
        raise Complaint(f"{text!r}: no such place; use OUTLET, OUTLET/out or OUTLET/in", status=2)
    return Place(INPUT if end == "in" else OUTPUT, checked_name(outlet))
