"""What subscription events speak about: the object's kind and what happened to it, by their numbers on the wire."""

from __future__ import annotations

import enum


class Facility(enum.IntEnum):
    """Kind of object; the bit in a subscription mask is `1 << facility`."""

    SINK = 0
    SOURCE = 1
    SINK_INPUT = 2
    SOURCE_OUTPUT = 3
    MODULE = 4
    CLIENT = 5
    SAMPLE_CACHE = 6
    SERVER = 7
    CARD = 9


class Change(enum.IntEnum):
    """What happened to the object."""

    NEW = 0x00
    CHANGE = 0x10
    REMOVE = 0x20


MASK_ALL = sum(1 << facility for facility in Facility)
