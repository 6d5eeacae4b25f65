"""A seccomp filter, written as the kernel's classic BPF: system calls that the process can do no more.

Constants and structures are those of <linux/seccomp.h>, <linux/filter.h> and <linux/audit.h>; call numbers are those
of <asm/unistd.h> of each machine.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from functools import cache

# system calls by machine, as (name: number); what a worker has no use for once it serves
_X86_64 = {
    "open": 2, "openat": 257, "openat2": 437, "creat": 85, "open_by_handle_at": 304, "socket": 41, "connect": 42,
    "bind": 49, "listen": 50, "fork": 57, "vfork": 58, "execve": 59, "execveat": 322, "ptrace": 101,
    "process_vm_readv": 310, "process_vm_writev": 311, "kill": 62, "tkill": 200, "tgkill": 234, "pidfd_open": 434,
    "pidfd_getfd": 438, "pidfd_send_signal": 424, "unlink": 87, "unlinkat": 263, "rename": 82, "renameat": 264,
    "renameat2": 316, "mkdir": 83, "mkdirat": 258, "rmdir": 84, "link": 86, "linkat": 265, "symlink": 88,
    "symlinkat": 266, "mknod": 133, "mknodat": 259, "chmod": 90, "fchmod": 91, "fchmodat": 268, "chown": 92,
    "fchown": 93, "lchown": 94, "fchownat": 260, "mount": 165, "unshare": 272, "setns": 308, "bpf": 321,
    "io_uring_setup": 425, "memfd_create": 319, "userfaultfd": 323, "perf_event_open": 298, "keyctl": 250,
}  # fmt: skip
_AARCH64 = {
    "openat": 56, "openat2": 437, "open_by_handle_at": 265, "socket": 198, "connect": 203, "bind": 200, "listen": 201,
    "execve": 221, "execveat": 281, "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "kill": 129,
    "tkill": 130, "tgkill": 131, "pidfd_open": 434, "pidfd_getfd": 438, "pidfd_send_signal": 424, "unlinkat": 35,
    "renameat": 38, "renameat2": 276, "mkdirat": 34, "linkat": 37, "symlinkat": 36, "mknodat": 33, "fchmod": 52,
    "fchmodat": 53, "fchown": 55, "fchownat": 54, "mount": 40, "unshare": 97, "setns": 268, "bpf": 280,
    "io_uring_setup": 425, "memfd_create": 279, "userfaultfd": 282, "perf_event_open": 241, "keyctl": 219,
}  # fmt: skip
MACHINES = {"x86_64": (0xC000003E, _X86_64), "aarch64": (0xC00000B7, _AARCH64)}  # audit number of the machine, calls

_PR_SET_NO_NEW_PRIVS = 38
_PR_GET_NO_NEW_PRIVS = 39
_PR_SET_SECCOMP = 22
_MODE_FILTER = 2
_KILL_PROCESS, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _MACHINE_AT = 0, 4  # offsets in struct seccomp_data
_X32 = 0x40000000  # calls of the x32 interface have this bit


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def forbid(*, kill: bool) -> None:
    """Forbid the calls of this machine's list to this process for ever.

    With `kill` such a call ends the process, else it fails with EPERM. Raises OSError if the kernel has no seccomp, or
    the machine is not one of MACHINES.
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


def program(machine: int, calls: dict[str, int], *, kill: bool) -> bytes:
    """The filter: another machine's calls and the listed ones are refused, the others allowed."""
    refuse = _KILL_PROCESS if kill else _ERRNO | errno.EPERM
    numbers = sorted(calls.values())
    lines = [(_LOAD, 0, 0, _MACHINE_AT), (_EQUAL, 1, 0, machine), (_RETURN, 0, 0, _KILL_PROCESS)]
    lines += [(_LOAD, 0, 0, _NUMBER_AT), (_AT_LEAST, len(numbers) + 1, 0, _X32)]
    for position, number in enumerate(numbers):
        lines.append((_EQUAL, len(numbers) - position, 0, number))
    lines += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, refuse)]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
