"""Which system calls pass, on this machine in earnest and on both by reading the program as the kernel would."""

import ctypes
import errno
import mmap
import os
import signal
import socket
import struct

import pytest

from eardrum.kernel.confinement import FILE_CALLS, WORKER_CALLS, privileges, seccomp
from eardrum.kernel.confinement.calls import NUMBERS, Call, Must
from eardrum.testing.planted import ATTEMPTS, HERE, MACHINES, attempt, attempts

ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
ADDRESS = 0x7F00_1234_5000  # where the bytes of an attempt might be


def verdict(program: bytes, number: int, arguments=(), machine: int = 0) -> int:
    """What the kernel would make of a call: an interpreter of the BPF that a filter may be written in."""
    data = struct.pack("=iIQ6Q", number, machine, 0, *(each & (1 << 64) - 1 for each in (*arguments, *[0] * 6)[:6]))
    lines = list(struct.iter_unpack("=HBBI", program))
    accumulator = position = 0
    while True:
        code, if_true, if_false, operand = lines[position]
        position += 1
        match code:
            case 0x20:  # load a word
                (accumulator,) = struct.unpack_from("=I", data, operand)
            case 0x15:  # is it this
                position += if_true if accumulator == operand else if_false
            case 0x45:  # has it any of these bits
                position += if_true if accumulator & operand else if_false
            case 0x06:
                return operand
            case _:
                raise AssertionError(f"an unknown instruction: {code:#x}")


def judged(machine: str, number: int, arguments=(), calls=WORKER_CALLS, kill: bool = False) -> int:
    column, audit = seccomp.MACHINES[machine]
    return verdict(seccomp.program(calls, column, audit, kill=kill), number, arguments, audit)


@pytest.fixture(scope="module")
def possible():
    """What code in a process can do that may make the calls of a worker with files: numbers of errors by what it is."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        privileges.gain_nothing()
        seccomp.forbid(FILE_CALLS, kill=False)
        said = [f"{what}={number}" for what, number in attempts().items()]
        os.write(writer, "\n".join(said).encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as told:
        said = dict(line.rsplit("=", 1) for line in told.read().splitlines())
    os.waitpid(pid, 0)
    return said


@pytest.mark.parametrize("what", [each.what for each in ATTEMPTS if each.numbers[HERE] is not None])
def test_planted_code_can_not(possible, what):
    assert possible[what] == str(errno.EPERM)


@pytest.mark.parametrize("calls", [WORKER_CALLS, FILE_CALLS])
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("each", ATTEMPTS, ids=lambda each: each.what)
def test_on_any_machine_it_can_not(each, machine, calls):
    number = each.numbers[MACHINES.index(machine)]
    arguments = [ADDRESS if isinstance(value, bytes) else value for value in each.arguments]
    if number is not None:
        assert judged(machine, number, arguments, calls) == REFUSE
        assert judged(machine, number, arguments, calls, kill=True) == KILL


@pytest.mark.parametrize("machine", MACHINES)
def test_nothing_passes_that_is_not_listed(machine):
    listed = {NUMBERS[call.name][MACHINES.index(machine)] for call in WORKER_CALLS}
    passes = {number for number in range(-1, 1024) if judged(machine, number) == ALLOW}
    assert passes <= listed
    x32 = 0x40000000
    assert all(judged(machine, x32 | number) == REFUSE for number in range(1024))


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("call", [call for call in FILE_CALLS if not call.musts], ids=lambda call: call.name)
def test_what_is_listed_passes(call, machine):
    number = NUMBERS[call.name][MACHINES.index(machine)]
    if number is not None:
        assert judged(machine, number, [-1] * 6, FILE_CALLS) == ALLOW


PROPER = {
    "say something": ("sendto", (3, ADDRESS, 5, 0x4000, 0, 0)),
    "not block": ("ioctl", (3, 0x5421, ADDRESS)),
    "copy a descriptor": ("fcntl", (3, 1030, 0)),
    "ask a socket for its type": ("getsockopt", (3, 1, 3, ADDRESS, ADDRESS)),
    "have memory": ("mmap", (0, 4096, 3, 0x22, -1, 0)),
    "read-only memory": ("mprotect", (ADDRESS, 4096, 1)),
    "see how long what is open is": ("newfstatat", (3, ADDRESS, ADDRESS, 0x1000)),
}


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("what", PROPER)
def test_what_it_needs_it_can(what, machine):
    name, arguments = PROPER[what]
    number = NUMBERS[name][MACHINES.index(machine)]
    assert judged(machine, number, arguments, FILE_CALLS) == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
def test_all_that_is_said_of_arguments_must_hold(machine):
    calls = (Call("read", (Must(0, be=(1, 2)), Must(1, lack=0b100))),)
    number = NUMBERS["read"][MACHINES.index(machine)]
    passes = {(a, b) for a in range(4) for b in range(8) if judged(machine, number, (a, b), calls) == ALLOW}
    assert passes == {(a, b) for a in (1, 2) for b in range(4)}


def test_calls_of_another_machine_end_the_process():
    (column, audit), (_, other) = seccomp.MACHINES["x86_64"], seccomp.MACHINES["aarch64"]
    assert verdict(seccomp.program(WORKER_CALLS, column, audit, kill=False), 0, machine=other) == KILL


@pytest.mark.parametrize("machine", MACHINES)
def test_the_kernel_takes_a_program_of_this_length(machine):
    column, audit = seccomp.MACHINES[machine]
    assert len(seccomp.program(FILE_CALLS, column, audit, kill=False)) // 8 < 4096


def test_where_it_is_told_so_an_attempt_ends_the_process(in_a_child):
    def open_a_file():
        privileges.gain_nothing()
        seccomp.forbid(WORKER_CALLS, kill=True)
        os.open("/dev/null", os.O_RDONLY)

    assert in_a_child(open_a_file) == -signal.SIGSYS


def test_the_kernel_is_given_the_filter(monkeypatch):
    said: list[tuple[object, ...]] = []
    monkeypatch.setattr(seccomp, "call", lambda *arguments: said.append(arguments))
    seccomp.forbid(WORKER_CALLS, kill=True)
    assert said == [("prctl", 22, 2, ctypes.addressof(seccomp.prepared(WORKER_CALLS, True)), 0, 0)]


def test_it_cannot_be_undone_by_another_filter(in_a_child):
    def forbid_twice():
        privileges.gain_nothing()
        seccomp.forbid(WORKER_CALLS, kill=False)
        seccomp.forbid(WORKER_CALLS, kill=False)

    assert in_a_child(forbid_twice) == "PermissionError: [Errno 1] Operation not permitted"


def test_it_can_still_work_with_what_it_has(in_a_child, tmp_path):
    one, other = socket.socketpair()
    listening, caller = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    with one, other, listening, caller, open(tmp_path / "file", "wb", buffering=0) as file:
        listening.bind(str(tmp_path / "socket"))
        listening.listen()
        caller.connect(str(tmp_path / "socket"))

        def work():
            privileges.gain_nothing()
            seccomp.forbid(FILE_CALLS, kill=False)
            accepted, _ = listening.accept()
            accepted.setblocking(False)
            accepted.close()
            one.send(b"so")
            os.writev(one.fileno(), [b"un", b"d"])
            file.write(bytearray(1_000_000))
            os.ftruncate(file.fileno(), 10)
            memory = mmap.mmap(-1, 1_000_000)
            memory[:] = bytes(1_000_000)
            memory.close()
            return [other.recv(5).decode(), os.fstat(file.fileno()).st_size]

        assert in_a_child(work) == ["sound", 10]


def test_an_attempt_that_is_not_refused_is_told():
    getpid = NUMBERS["getpid"][HERE]
    assert getpid is not None
    assert attempt(getpid, ()) == 0


def test_an_unknown_machine_is_said(monkeypatch):
    monkeypatch.setattr(os, "uname", lambda: type("Uname", (), {"machine": "vax"})())
    seccomp.prepared.cache_clear()
    with pytest.raises(OSError, match="vax"):
        seccomp.prepared(WORKER_CALLS, False)
    seccomp.prepared.cache_clear()
