"""What a process may become, and who may look into it.

Constants and structures are those of <linux/prctl.h> and <linux/capability.h>.
"""

from __future__ import annotations

import ctypes
import struct

from eardrum.kernel.confinement.libc import call

_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION = 0x20080522
_SELF = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION, 0))
_NONE = ctypes.create_string_buffer(2 * 3 * 4)  # effective, permitted, inheritable; twice 32 of them


def gain_nothing() -> None:
    """No program that this process might run gives it more than it has. Raises OSError."""
    call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def hide() -> None:
    """No other process of this user may trace it or read its memory, and it leaves no core. Raises OSError."""
    call("prctl", _PR_SET_DUMPABLE, 0, 0, 0, 0)


def drop_capabilities() -> None:
    """Let root be a user like any other. Raises OSError."""
    call("capset", ctypes.addressof(_SELF), ctypes.addressof(_NONE))
