"""Rights are wiring: what a connection may do follows from the wires of its outlet, and nothing inside can add one."""

from __future__ import annotations

import enum


class Right(enum.Flag):
    """What a connection may do; `rules.py` says which command needs which."""

    NONE = 0
    CONNECT = enum.auto()  # say who one is
    LOOK = enum.auto()  # see this outlet's own objects
    PLAY = enum.auto()  # an output wire: play, own levels, record what this outlet itself plays
    RECORD = enum.auto()  # an input wire: record that input
    HEAR = enum.auto()  # record a monitor in which others play
    MODULES = enum.auto()  # load the emulated modules
    OWN = enum.auto()  # all that a standard server lets its clients do


EVERY = ~Right.NONE
