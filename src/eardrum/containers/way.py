"""How a command gets its outlet: what each engine's file gives to `eardrum run`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


def nothing(directory: str) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class Way:
    """`wired` and `variables` are asked with the outlet's directory on this machine."""

    suggested_name: str  # of the outlet; any text
    wired: Callable[[str], Sequence[str]]  # the command line with the outlet in it
    variables: Callable[[str], Mapping[str, str]] = nothing  # for the environment of the command itself
    outlives: bool = False  # what it starts is still there when it has ended
    beside: str = ""  # one line for the person: what else of the host's sound the container may reach
