"""Which system calls a process may still make, and with which arguments: the lists that profiles are made of.

Numbers are those of <asm/unistd.h> of each machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

# on x86-64 and on 64-bit ARM; None: the machine does not have it
NUMBERS: Mapping[str, tuple[int | None, int | None]] = {
    "epoll_wait": (232, None), "epoll_pwait": (281, 22), "epoll_pwait2": (441, 441), "epoll_ctl": (233, 21),
    "accept4": (288, 242), "recvfrom": (45, 207), "recvmsg": (47, 212), "sendto": (44, 206),
    "getsockname": (51, 204), "getsockopt": (55, 209), "shutdown": (48, 210),
    "read": (0, 63), "write": (1, 64), "writev": (20, 66), "close": (3, 57), "fcntl": (72, 25), "ioctl": (16, 29),
    "pwrite64": (18, 68), "lseek": (8, 62), "ftruncate": (77, 46), "fsync": (74, 82), "fdatasync": (75, 83),
    "fstat": (5, 80), "newfstatat": (262, 79),
    "brk": (12, 214), "mmap": (9, 222), "munmap": (11, 215), "mremap": (25, 216), "mprotect": (10, 226),
    "madvise": (28, 233),
    "futex": (202, 98), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132), "restart_syscall": (219, 128), "clock_gettime": (228, 113), "gettimeofday": (96, 169),
    "clock_nanosleep": (230, 115), "sched_yield": (24, 124), "getpid": (39, 172), "gettid": (186, 178),
    "getrandom": (318, 278), "exit": (60, 93), "exit_group": (231, 94),
}  # fmt: skip


class Must(NamedTuple):
    """What has to hold of an argument: to be one of some values, or to lack some bits. Only its low 32 bits count."""

    argument: int  # the first is 0
    be: tuple[int, ...] = ()
    lack: int = 0


class Call(NamedTuple):
    name: str
    musts: tuple[Must, ...] = ()


Calls = tuple[Call, ...]  # the most frequent first: the kernel goes through them in this order


def plain(names: str) -> Calls:
    """Calls that are allowed whatever their arguments."""
    return tuple(map(Call, names.split()))


_SOL_SOCKET, _TYPE, _ERROR, _PROTOCOL, _DOMAIN = 1, 3, 4, 38, 39
_F_GETFD, _F_SETFD, _F_GETFL, _F_SETFL, _F_DUPFD_CLOEXEC = 1, 2, 3, 4, 1030  # no lock, lease, owner or signal
_FIONBIO = 0x5421  # (not) to block; no terminal
_PROT_EXEC = 0x4  # memory never becomes code
_AT_EMPTY_PATH = 0x1000

WAITING = plain("epoll_wait epoll_pwait epoll_pwait2 epoll_ctl clock_gettime gettimeofday clock_nanosleep")
SOCKETS: Calls = (
    *plain("recvfrom recvmsg"),
    Call("sendto", (Must(5, be=(0,)),)),  # to no address: nothing is connected. Without sendmsg no descriptor leaves
    *plain("read write writev close accept4 getsockname"),
    Call("getsockopt", (Must(1, be=(_SOL_SOCKET,)), Must(2, be=(_TYPE, _ERROR, _PROTOCOL, _DOMAIN)))),
    Call("fcntl", (Must(1, be=(_F_GETFD, _F_SETFD, _F_GETFL, _F_SETFL, _F_DUPFD_CLOEXEC)),)),
    Call("ioctl", (Must(1, be=(_FIONBIO,)),)),
)
MEMORY: Calls = (
    Call("mmap", (Must(2, lack=_PROT_EXEC),)),
    Call("mprotect", (Must(2, lack=_PROT_EXEC),)),
    *plain("munmap mremap brk madvise"),
)
PROCESS = plain(
    "futex rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall sched_yield getpid gettid getrandom"
    " exit exit_group"
)
FILES: Calls = (
    *plain("lseek pwrite64 ftruncate fsync fdatasync fstat"),
    # of a descriptor; a path that is there besides cannot be seen by a filter
    Call("newfstatat", (Must(0, lack=1 << 31), Must(3, be=(_AT_EMPTY_PATH,)))),
)
