"""Other users of the machine, at the sockets of a desk: whom the kernel lets in, by owner, group and mode alone.

Root becomes them and tries. Somebody else can only reckon from the modes; then at least these are held to be right.
"""

from __future__ import annotations

import contextlib
import grp
import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from eardrum.kernel.outlet_directory import NATIVE, ONLY_OWNER, Access, Runtime
from eardrum.terms.errors import Complaint

IS_ROOT = os.geteuid() == 0
GROUP = grp.getgrnam("audio") if IS_ROOT else grp.getgrgid(os.getegid())


@dataclass(frozen=True)
class User:
    uid: int
    gid: int
    groups: tuple[int, ...] = ()

    def may(self, there: os.stat_result, bits: int) -> bool:
        """Whether the mode of what is there allows this (4 read, 2 write, 1 enter)."""
        if there.st_uid == self.uid:
            shift = 6
        else:
            shift = 3 if there.st_gid in (self.gid, *self.groups) else 0
        return stat.S_IMODE(there.st_mode) >> shift & bits == bits

    def may_connect(self, path: Path, seen_from: Path) -> bool:
        """What follows from the modes of the socket and of the directories below `seen_from`, which is open to all."""
        ways = [parent for parent in path.parents if parent.is_relative_to(seen_from) and parent != seen_from]
        return all(self.may(way.stat(), 1) for way in ways) and self.may(path.stat(), 2)

    @contextlib.contextmanager
    def acting(self) -> Iterator[None]:
        """Within, this process is that user's. Only for root."""
        before = os.getegid(), os.getgroups()
        os.setgroups(self.groups)
        os.setegid(self.gid)
        os.seteuid(self.uid)
        try:
            yield
        finally:
            os.seteuid(0)
            os.setegid(before[0])
            os.setgroups(before[1])

    def connects(self, path: Path, seen_from: Path) -> bool:
        """Whether the kernel lets this user connect to the socket, of which a container sees what is in `seen_from`."""
        expected = self.may_connect(path, seen_from)
        if not IS_ROOT:
            return expected
        with contextlib.chdir(seen_from), self.acting(), socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(str(path.relative_to(seen_from)))
            except PermissionError:
                connects = False
            else:
                connects = True
        assert connects == expected
        return connects


ALICE = User(54321, 54321) if IS_ROOT else User(os.geteuid(), os.getegid())  # whose desk it is
BOB = User(54322, 54322, (GROUP.gr_gid,))  # in the group
EVE = User(54323, 54323)
USERS = {"alice": ALICE, "bob": BOB, "eve": EVE}


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory into which all users can look; Alice may write to it."""
    with tempfile.TemporaryDirectory(prefix="eardrum-") as directory:
        place = Path(directory)
        if IS_ROOT:
            os.chown(place, ALICE.uid, ALICE.gid)
        place.chmod(0o755)
        yield place


GROUPED = Access(0o660, GROUP.gr_name)


@contextlib.contextmanager
def alices(place: Path, access: Access, *, shared: bool, control: Access = ONLY_OWNER) -> Iterator[tuple[Path, Path]]:
    """A runtime directory that Alice has made: its control socket, and the directory of an outlet with this access."""
    with contextlib.ExitStack() as stack:
        with User(ALICE.uid, ALICE.gid, (GROUP.gr_gid,)).acting() if IS_ROOT else contextlib.nullcontext():
            runtime = Runtime(place / "runtime", shared, control)
            stack.callback(runtime.close)
            stack.enter_context(runtime.listen_control())
            stack.enter_context(runtime.listen_outlet("radio", access))
        yield runtime.path / "control", runtime.outlet("radio")


def let_in(path: Path, seen_from: Path) -> list[str]:
    """The users for whom the kernel opens the socket."""
    return [name for name, user in USERS.items() if user.connects(path, seen_from)]


WHO = [(Access(), ["alice", "bob", "eve"]), (GROUPED, ["alice", "bob"]), (ONLY_OWNER, ["alice"])]


@pytest.mark.case("P68", "P70")
@pytest.mark.parametrize(("access", "who"), WHO, ids=["0666", "0660", "0600"])
def test_in_a_container_mode_and_group_say_who_may_connect(place, access, who):
    """Whatever the uid: only the directory is mounted there, and its modes are all that counts."""
    with alices(place, access, shared=False) as (_, outlet):
        assert let_in(outlet / NATIVE, seen_from=outlet) == who


@pytest.mark.case("P68")
@pytest.mark.parametrize(("access", "_"), WHO, ids=["0666", "0660", "0600"])
def test_outside_a_private_desk_is_its_owners_alone(place, access, _):
    with alices(place, access, shared=False) as (control, outlet):
        assert let_in(outlet / NATIVE, seen_from=place) == ["alice"]
        assert let_in(control, seen_from=place) == ["alice"]


@pytest.mark.case("P68")
@pytest.mark.parametrize(("access", "who"), WHO, ids=["0666", "0660", "0600"])
def test_where_several_users_share_it_mode_and_group_count_too(place, access, who):
    with alices(place, access, shared=True) as (control, outlet):
        assert let_in(outlet / NATIVE, seen_from=place) == who
        assert let_in(control, seen_from=place) == ["alice"]


@pytest.mark.case("P68", "P74")
def test_orders_are_taken_from_the_group_that_is_named_for_that(place):
    with alices(place, ONLY_OWNER, shared=True, control=GROUPED) as (control, outlet):
        assert let_in(control, seen_from=place) == ["alice", "bob"]
        assert let_in(outlet / NATIVE, seen_from=place) == ["alice"]


@pytest.mark.case("P64")
@pytest.mark.skipif(not IS_ROOT, reason="only root can become somebody else")
def test_a_directory_that_somebody_else_has_made_first_is_not_used(place):
    place.chmod(0o1777)
    with EVE.acting():
        (place / "runtime").mkdir(mode=0o700)
    with pytest.raises(Complaint, match=f"{place}/runtime: "), ALICE.acting():
        Runtime(place / "runtime")


@pytest.mark.case("P68")
@pytest.mark.skipif(not IS_ROOT, reason="only root can become somebody else")
def test_nothing_is_given_to_a_group_that_the_owner_is_not_in(place):
    with ALICE.acting():
        runtime = Runtime(place / "runtime")
        with pytest.raises(Complaint, match="cannot be given to a group that you are not in"):
            runtime.listen_outlet("radio", GROUPED)
        runtime.close()
    assert not any(stat.S_ISSOCK(path.stat().st_mode) and listens(path) for path in place.rglob("native"))


def listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0
