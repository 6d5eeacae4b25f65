"""What code that somebody planted in a confined process would try: system calls, one by one, that must fail.

Numbers are those of <asm/unistd.h> of each machine, written down here a second time. Where an attempt is not refused it
does as little as it can.
"""

from __future__ import annotations

import ctypes
import os
from typing import NamedTuple

MACHINES = ("x86_64", "aarch64")
HERE = MACHINES.index(os.uname().machine)

_libc = ctypes.CDLL(None, use_errno=True)

_HERE = -100  # AT_FDCWD
_UNIX, _STREAM = 1, 1
_SHELL = b"/bin/sh\0"
_PATH = b"/etc/passwd\0"
_NEVER = b"/tmp/eardrum-never\0"
_NOR = b"/tmp/eardrum-nor\0"
_ABSTRACT = b"\x01\0\0/tmp/.X11-unix/X0"  # sockaddr_un, an abstract name
_LOCALHOST = b"\x02\0\x15\xb3\x7f\0\0\x01" + bytes(8)  # sockaddr_in, 127.0.0.1:5555
_SPACE = bytes(256)
_EMPTY = b"\0"
_INIT = 1  # a pid


class Attempt(NamedTuple):
    """`numbers`: of the call on `MACHINES`; None where it does not exist. Bytes are given as their address."""

    what: str
    numbers: tuple[int | None, int | None]
    arguments: tuple[int | bytes, ...] = ()


ATTEMPTS = (
    # files by name
    Attempt("open a file", (2, None), (_PATH, 0)),
    Attempt("open a file, from a directory", (257, 56), (_HERE, _PATH, 0)),
    Attempt("open a file with openat2", (437, 437), (_HERE, _PATH, _SPACE, 24)),
    Attempt("open a descriptor again", (257, 56), (_HERE, b"/proc/self/fd/0\0", 2)),
    Attempt("open memory of the process", (257, 56), (_HERE, b"/proc/self/mem\0", 2)),
    Attempt("create a file", (85, None), (_NEVER, 0o600)),
    Attempt("open by a handle", (304, 265), (_HERE, _SPACE, 0)),
    Attempt("stat a path", (4, None), (_PATH, _SPACE)),
    Attempt("stat a path, from a directory", (262, 79), (_HERE, _PATH, _SPACE, 0)),
    Attempt("stat a path with statx", (332, 291), (_HERE, _PATH, 0, 0xFFF, _SPACE)),
    Attempt("see whether a file is there", (439, 439), (_HERE, _PATH, 0, 0)),
    Attempt("read a link", (267, 78), (_HERE, b"/proc/self/exe\0", _SPACE, 100)),
    Attempt("list a directory", (217, 61), (0, _SPACE, 256)),
    Attempt("remove a file", (263, 35), (_HERE, _NEVER, 0)),
    Attempt("rename a file", (316, 276), (_HERE, _NEVER, _HERE, _NOR, 0)),
    Attempt("link a file", (265, 37), (_HERE, _NEVER, _HERE, _NOR, 0)),
    Attempt("make a directory", (258, 34), (_HERE, _NEVER, 0o700)),
    Attempt("make a device", (259, 33), (_HERE, _NEVER, 0o020600, 0x0101)),
    Attempt("truncate a file", (76, 45), (_NEVER, 0)),
    Attempt("change a mode", (268, 53), (_HERE, _NEVER, 0o777)),
    Attempt("change the mode of what is open", (91, 52), (0, 0o666)),
    Attempt("change an owner", (260, 54), (_HERE, _NEVER, 0, 0, 0)),
    Attempt("change the directory", (80, 49), (b"/\0",)),
    Attempt("change the root", (161, 51), (b"/\0",)),
    Attempt("watch files", (294, 26), (0,)),
    # sockets and what is like them
    Attempt("make a unix socket", (41, 198), (_UNIX, _STREAM, 0)),
    Attempt("make an internet socket", (41, 198), (2, _STREAM, 0)),
    Attempt("make a netlink socket", (41, 198), (16, 3, 0)),
    Attempt("make a pair of sockets", (53, 199), (_UNIX, _STREAM, 0, _SPACE)),
    Attempt("connect", (42, 203), (0, _ABSTRACT, len(_ABSTRACT))),
    Attempt("bind", (49, 200), (0, _ABSTRACT, len(_ABSTRACT))),
    Attempt("listen", (50, 201), (0, 1)),
    Attempt("send to an address", (44, 206), (0, b"x", 1, 0x20000000, _LOCALHOST, len(_LOCALHOST))),
    Attempt("send descriptors", (46, 211), (0, _SPACE, 0)),
    Attempt("send descriptors, many at once", (307, 269), (0, _SPACE, 1, 0)),
    Attempt("shut down a socket that others have too", (48, 210), (0, 2)),
    Attempt("set an option of a socket", (54, 208), (0, 1, 26, _SPACE, 16)),
    Attempt("ask who connected", (55, 209), (0, 1, 17, _SPACE, _SPACE)),
    Attempt("ask for an option of TCP", (55, 209), (0, 6, 11, _SPACE, _SPACE)),
    Attempt("make a pipe", (293, 59), (_SPACE, 0)),
    Attempt("make memory with a descriptor", (319, 279), (b"never\0", 0)),
    Attempt("make secret memory", (447, 447), (0,)),
    Attempt("make a loop", (291, 20), (0,)),
    Attempt("make a counter", (290, 19), (0, 0)),
    Attempt("make a timer", (283, 85), (1, 0)),
    Attempt("have its own table of descriptors", (436, 436), (1000, 1000, 2)),
    Attempt("copy a descriptor over another", (292, 24), (0, 1, 0)),
    # what is open, used otherwise than for sound
    Attempt("type on a terminal", (16, 29), (2, 0x5412, b"x")),
    Attempt("own a terminal", (16, 29), (2, 0x540E, 1)),
    Attempt("paste on a console", (16, 29), (2, 0x541C, _SPACE)),
    Attempt("ask for signals about a socket", (16, 29), (0, 0x8901, _SPACE)),
    Attempt("have another signalled about a descriptor", (72, 25), (0, 8, _INIT)),
    Attempt("choose that signal", (72, 25), (0, 10, 9)),
    Attempt("lock a file", (72, 25), (0, 6, _SPACE)),
    Attempt("lease a file", (72, 25), (0, 1024, 1)),
    Attempt("watch a directory", (72, 25), (0, 1026, 1)),
    Attempt("resize a pipe", (72, 25), (0, 1031, 1 << 20)),
    Attempt("lock a whole file", (73, 32), (0, 1)),
    # processes
    Attempt("fork", (57, None)),
    Attempt("vfork", (58, None)),
    Attempt("clone", (56, 220), (17, 0, 0, 0, 0)),
    Attempt("clone with clone3", (435, 435), (_SPACE, 88)),
    Attempt("run a program", (59, 221), (_SHELL, 0, 0)),
    Attempt("run a program from a descriptor", (322, 281), (0, _EMPTY, 0, 0, 0x1000)),
    Attempt("signal init", (62, 129), (_INIT, 0)),
    Attempt("signal all", (62, 129), (-1, 0)),
    Attempt("signal a thread", (234, 131), (_INIT, _INIT, 0)),
    Attempt("signal a thread by its number", (200, 130), (_INIT, 0)),
    Attempt("queue a signal", (129, 138), (_INIT, 10, _SPACE)),
    Attempt("signal a pidfd", (424, 424), (0, 9, 0, 0)),
    Attempt("have a pidfd", (434, 434), (_INIT, 0)),
    Attempt("have a descriptor of another", (438, 438), (0, 0, 0)),
    Attempt("trace init", (101, 117), (16, _INIT, 0, 0)),
    Attempt("read memory of another", (310, 270), (_INIT, _SPACE, 1, _SPACE, 1, 0)),
    Attempt("write memory of another", (311, 271), (_INIT, _SPACE, 1, _SPACE, 1, 0)),
    Attempt("compare two processes", (312, 272), (_INIT, _INIT, 0, 0, 0)),
    Attempt("advise about memory of another", (440, 440), (0, _SPACE, 1, 21, 0)),
    Attempt("wait for a child", (61, 260), (-1, 0, 1, 0)),
    Attempt("have a timer send signals", (38, 103), (0, _SPACE, 0)),
    Attempt("send signals by a timer", (222, 107), (1, 0, _SPACE)),
    Attempt("set limits of another", (302, 261), (_INIT, 7, 0, _SPACE)),
    Attempt("set a priority", (141, 140), (0, 0, -20)),
    Attempt("set how it is scheduled", (144, 119), (0, 1, _SPACE)),
    Attempt("choose processors", (203, 122), (0, 8, _SPACE)),
    Attempt("begin a session", (112, 157)),
    # privileges
    Attempt("be dumpable again", (157, 167), (4, 1, 0, 0, 0)),
    Attempt("take another name", (157, 167), (15, b"init\0", 0, 0, 0)),
    Attempt("let memory be code, by personality", (135, 92), (0x0400000,)),
    Attempt("become another user", (105, 146), (0,)),
    Attempt("become another user, wholly", (117, 147), (0, 0, 0)),
    Attempt("become another group", (106, 144), (0,)),
    Attempt("have other groups", (116, 159), (0, 0)),
    Attempt("set capabilities", (126, 91), (_SPACE, _SPACE)),
    Attempt("add a filter", (317, 277), (1, 0, _SPACE)),
    Attempt("create a Landlock domain", (444, 444), (0, 0, 1)),
    Attempt("have new namespaces", (272, 97), (0x10000000,)),
    Attempt("enter a namespace", (308, 268), (0, 0)),
    Attempt("mount", (165, 40), (_EMPTY, _NEVER, b"tmpfs\0", 0, 0)),
    Attempt("unmount", (166, 39), (_NEVER, 0)),
    Attempt("move a root", (155, 41), (_NEVER, _NEVER)),
    Attempt("mount with fsopen", (430, 430), (b"tmpfs\0", 0)),
    Attempt("take a tree of mounts", (428, 428), (_HERE, b"/\0", 1)),
    # the kernel
    Attempt("have keys", (250, 219), (0, -3, 0, 0, 0)),
    Attempt("add a key", (248, 217), (b"user\0", b"never\0", b"x", 1, -3)),
    Attempt("load a BPF program", (321, 280), (5, _SPACE, 128)),
    Attempt("set up io_uring", (425, 425), (8, _SPACE)),
    Attempt("enter io_uring", (426, 426), (0, 1, 0, 0, 0, 0)),
    Attempt("count events of the processor", (298, 241), (_SPACE, 0, -1, -1, 0)),
    Attempt("handle page faults", (323, 282), (1,)),
    Attempt("load a module", (313, 273), (0, _EMPTY, 0)),
    Attempt("load another kernel", (320, 294), (0, 0, 0, 0, 0)),
    Attempt("reboot", (169, 142), (0x28121969, 0x28121969, 0)),
    Attempt("set the clock", (227, 112), (1000, _SPACE)),
    Attempt("name the machine", (170, 161), (0, 5)),
    Attempt("read the kernel's log", (103, 116), (2, _SPACE, 0)),
    Attempt("swap", (167, 224), (_NEVER, 0)),
    Attempt("account processes", (163, 89), (0,)),
    Attempt("use ports of the machine", (172, None), (3,)),
    # memory
    Attempt("map memory that is code", (9, 222), (0, 4096, 5, 0x22, -1, 0)),
    Attempt("make memory code", (10, 226), (_SPACE, 4096, 5)),
    Attempt("make memory code, with a key", (329, 288), (_SPACE, 4096, 5, -1)),
    Attempt("map pages elsewhere", (216, 234), (0, 4096, 0, 0, 0)),
    Attempt("lock memory", (149, 228), (0, 4096)),
    Attempt("attach shared memory", (30, 196), (0, 0, 0)),
    Attempt("get shared memory", (29, 194), (0, 4096, 0o1600)),
    Attempt("get a queue of messages", (68, 186), (0, 0o1600)),
    Attempt("splice", (275, 76), (0, 0, 1, 0, 1, 0)),
    Attempt("copy between files", (326, 285), (0, 0, 1, 0, 1, 0)),
    Attempt("send a file", (40, 71), (1, 0, 0, 1)),
)  # fmt: skip


def attempt(number: int, arguments: tuple[int | bytes, ...]) -> int:
    """Make this system call; 0, or the number of its error."""
    memory = [ctypes.create_string_buffer(each) if isinstance(each, bytes) else each for each in arguments]
    given = [ctypes.c_long(each if isinstance(each, int) else ctypes.addressof(each)) for each in memory]
    ctypes.set_errno(0)
    return ctypes.get_errno() if _libc.syscall(ctypes.c_long(number), *given) == -1 else 0


def attempts() -> dict[str, int]:
    """Try all, on this machine: the number of the error by what was tried, 0 for what is possible."""
    made = ((each.what, each.numbers[HERE], each.arguments) for each in ATTEMPTS)
    return {what: attempt(number, arguments) for what, number, arguments in made if number is not None}
