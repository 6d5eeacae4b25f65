"""A seccomp filter, written as the kernel's classic BPF: the system calls that a worker may still make, and no others.

Constants and structures are those of <linux/seccomp.h>, <linux/filter.h> and <linux/audit.h>; call numbers are those
of <asm/unistd.h> of each machine.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Mapping
from functools import cache

# allowed system calls, with their numbers on x86-64 and on 64-bit ARM; None: the machine does not have it
CALLS: Mapping[str, tuple[int | None, int | None]] = {
    # the loop, and sockets that are there
    "epoll_wait": (232, None), "epoll_pwait": (281, 22), "epoll_pwait2": (441, 441), "epoll_ctl": (233, 21),
    "accept4": (288, 242), "recvfrom": (45, 207), "recvmsg": (47, 212), "sendto": (44, 206), "sendmsg": (46, 211),
    "getsockname": (51, 204), "getsockopt": (55, 209), "setsockopt": (54, 208), "shutdown": (48, 210),
    # files that are open
    "read": (0, 63), "write": (1, 64), "writev": (20, 66), "pwrite64": (18, 68), "lseek": (8, 62),
    "ftruncate": (77, 46), "fsync": (74, 82), "fdatasync": (75, 83), "fstat": (5, 80), "newfstatat": (262, 79),
    "close": (3, 57), "fcntl": (72, 25), "ioctl": (16, 29),
    # memory
    "brk": (12, 214), "mmap": (9, 222), "munmap": (11, 215), "mremap": (25, 216), "mprotect": (10, 226),
    "madvise": (28, 233),
    # what every process does
    "futex": (202, 98), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132), "restart_syscall": (219, 128), "clock_gettime": (228, 113), "gettimeofday": (96, 169),
    "clock_nanosleep": (230, 115), "sched_yield": (24, 124), "getpid": (39, 172), "gettid": (186, 178),
    "getrandom": (318, 278), "exit": (60, 93), "exit_group": (231, 94),
}  # fmt: skip
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column in CALLS, audit number

_FIONBIO = 0x5421  # the one ioctl that is allowed: (not) to block
_PROT_EXEC = 0x4  # memory never becomes code
_PR_SET_NO_NEW_PRIVS = 38
_PR_GET_NO_NEW_PRIVS = 39
_PR_SET_SECCOMP = 22
_MODE_FILTER = 2
_KILL_PROCESS, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER_AT, _MACHINE_AT = 0, 4  # offsets in struct seccomp_data
_SECOND_AT, _THIRD_AT = 24, 32  # of the low words of a call's second and third argument

Line = tuple[int, int, int, int]  # code, lines to skip if true, lines to skip if false, operand


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def forbid(*, kill: bool) -> None:
    """Forbid this process for ever all system calls but CALLS.

    With `kill` another call ends the process, else it fails with EPERM. Raises OSError if the kernel has no seccomp or
    CALLS does not know the machine.
    """
    for call in prepared(kill):
        if _libc().prctl(*call) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


@cache
def prepared(kill: bool) -> tuple[tuple[object, ...], ...]:
    """The arguments of the prctl calls. Prepared once in the nursery, they cost the workers nothing."""
    machine = os.uname().machine
    if machine not in MACHINES:
        raise OSError(errno.ENOSYS, f"no list of system calls for {machine}")
    instructions = program(*MACHINES[machine], kill=kill)
    given = _Program(len(instructions) // 8, instructions)
    _libc().prctl(_PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
    return (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(given), 0, 0)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def program(column: int, machine: int, *, kill: bool) -> bytes:
    """The filter for one machine. A call of another machine, or of its 32-bit interface, ends the process."""
    refuse: Line = (_RETURN, 0, 0, _KILL_PROCESS if kill else _ERRNO | errno.EPERM)
    allow: Line = (_RETURN, 0, 0, _ALLOW)
    lines: list[Line] = [(_LOAD, 0, 0, _MACHINE_AT), (_EQUAL, 1, 0, machine), (_RETURN, 0, 0, _KILL_PROCESS)]
    lines.append((_LOAD, 0, 0, _NUMBER_AT))
    for name, numbers in CALLS.items():
        number = numbers[column]
        if number is None:
            continue
        if name == "ioctl":
            wanted: list[Line] = [(_LOAD, 0, 0, _SECOND_AT), (_EQUAL, 0, 1, _FIONBIO), allow, refuse]
        elif name in ("mmap", "mprotect"):
            wanted = [(_LOAD, 0, 0, _THIRD_AT), (_ANY_BIT, 1, 0, _PROT_EXEC), allow, refuse]
        else:
            wanted = [allow]
        lines += [(_EQUAL, 0, len(wanted), number), *wanted]
    return b"".join(struct.pack("=HBBI", *line) for line in (*lines, refuse))
