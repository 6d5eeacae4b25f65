"""The layers that confine a process, each by itself."""

from __future__ import annotations

import enum


class Layer(enum.IntFlag):
    """What holds, as a worker reports it and people read it."""

    NO_NEW_PRIVS = 1  # no program that it might run gives it more
    NOT_DUMPABLE = 2  # no core, and no other process of the user looks into it
    NO_CAPABILITIES = 4  # root is a user like any other
    LIMITS = 8  # resource limits
    LANDLOCK = 16  # no path; as far as the kernel can, no port, abstract socket or process either
    SECCOMP = 32  # few system calls

    @property
    def names(self) -> list[str]:
        """For people: `no_new_privs` and so on."""
        return [str(layer.name).lower() for layer in self]


ALL = ~Layer(0)
