"""A seccomp filter, written as the kernel's classic BPF: the system calls that a process may still make, and no others.

Constants and structures are those of <linux/seccomp.h>, <linux/filter.h> and <linux/audit.h>.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from functools import cache

from eardrum.kernel.confinement.calls import NUMBERS, Call, Calls, Must
from eardrum.kernel.confinement.libc import call

MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column in NUMBERS, audit number

_PR_SET_SECCOMP = 22
_MODE_FILTER = 2
_KILL_PROCESS, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER_AT, _MACHINE_AT, _ARGUMENTS_AT = 0, 4, 16  # offsets in struct seccomp_data; an argument has eight bytes

Line = tuple[int, int, int, int]  # code, lines to skip if true, lines to skip if false, operand


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def forbid(calls: Calls, *, kill: bool) -> None:
    """Forbid this process for ever all system calls but these; it must gain no privileges any more.

    With `kill` another call ends the process, else it fails with EPERM. Raises OSError if the kernel has no seccomp or
    the numbers of the machine's calls are not known.
    """
    call("prctl", _PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(prepared(calls, kill)), 0, 0)


@cache
def prepared(calls: Calls, kill: bool) -> ctypes.Structure:
    """The filter as the kernel takes it. Prepared once before a fork, it costs the children nothing. Raises OSError."""
    machine = os.uname().machine
    if machine not in MACHINES:
        raise OSError(errno.ENOSYS, f"no list of system calls for {machine}")
    instructions = program(calls, *MACHINES[machine], kill=kill)
    return _Program(len(instructions) // 8, instructions)


def program(calls: Calls, column: int, machine: int, *, kill: bool) -> bytes:
    """The filter for one machine. A call of another machine, or of its 32-bit interface, ends the process."""
    refuse: Line = (_RETURN, 0, 0, _KILL_PROCESS if kill else _ERRNO | errno.EPERM)
    lines: list[Line] = [(_LOAD, 0, 0, _MACHINE_AT), (_EQUAL, 1, 0, machine), (_RETURN, 0, 0, _KILL_PROCESS)]
    lines.append((_LOAD, 0, 0, _NUMBER_AT))
    for allowed in calls:
        number = NUMBERS[allowed.name][column]
        if number is not None:
            verdict = _verdict(allowed, refuse)
            lines += [(_EQUAL, 0, len(verdict), number), *verdict]
    return b"".join(struct.pack("=HBBI", *line) for line in (*lines, refuse))


def _verdict(allowed: Call, refuse: Line) -> list[Line]:
    lines: list[Line] = [(_RETURN, 0, 0, _ALLOW)]
    for must in reversed(allowed.musts):
        lines = [*_held(must, refuse), *lines]
    return lines


def _held(must: Must, refuse: Line) -> list[Line]:
    """Lines that refuse unless this holds."""
    load: Line = (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * must.argument)
    if must.lack:
        return [load, (_ANY_BIT, 0, 1, must.lack), refuse]
    left = range(len(must.be), 0, -1)  # lines from here to behind the refusal
    return [load, *((_EQUAL, skip, 0, value) for skip, value in zip(left, must.be, strict=True)), refuse]
