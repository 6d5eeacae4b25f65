"""The runtime directory: made right, taken over only if it is right, and nothing in it destroyed that is not ours."""

from __future__ import annotations

import grp
import os
import socket
import stat
from contextlib import contextmanager
from pathlib import Path

import pytest

from eardrum.kernel.outlet_directory import Access, Permissions, Runtime, connect
from eardrum.kernel.peer import user_name
from eardrum.terms.errors import Complaint

GROUP = "daemon" if os.geteuid() == 0 else grp.getgrgid(os.getgid()).gr_name  # one that we may give to


@pytest.fixture
def runtime(tmp_path):
    runtime = Runtime(tmp_path / "runtime")
    yield runtime
    runtime.close()


@contextmanager
def umask(mask: int):
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def refused(path: Path, **more: bool) -> str:
    """What the complaint says about a runtime directory at `path`."""
    with pytest.raises(Complaint) as caught:
        Runtime(path, **more)
    return str(caught.value)


def listen_refused(runtime: Runtime, name: str = "radio", access: Access = Access()) -> str:  # noqa: B008
    with pytest.raises(Complaint) as caught:
        runtime.listen_outlet(name, access)
    return str(caught.value)


@pytest.mark.case("P65")
@pytest.mark.parametrize("mask", [0, 0o022, 0o777], ids=oct)
def test_modes_are_exact_whatever_the_umask(tmp_path, mask):
    with umask(mask):
        runtime = Runtime(tmp_path / "runtime")
        listening = runtime.listen_outlet("radio", Access())
        control = runtime.listen_control()
    assert mode(runtime.path) == 0o700
    assert mode(runtime.outlets) == 0o700
    assert mode(runtime.path / "lock") == 0o600
    assert mode(runtime.path / "control") == 0o600
    assert mode(runtime.outlet("radio")) == 0o755
    assert mode(runtime.outlet("radio") / "native") == 0o666
    listening.close()
    control.close()
    runtime.close()


@pytest.mark.case("P65")
@pytest.mark.parametrize("mask", [0, 0o777], ids=oct)
def test_nobody_can_connect_before_mode_and_group_are_right(runtime, monkeypatch, mask):
    native = runtime.outlet("radio") / "native"
    seen = []
    bind, listen = socket.socket.bind, socket.socket.listen

    def look(when: str) -> None:
        there = native.stat()
        seen.append((when, oct(stat.S_IMODE(there.st_mode)), there.st_gid))
        with pytest.raises(ConnectionRefusedError):
            connect(native)

    def watched_bind(self: socket.socket, address: str) -> None:
        bind(self, address)
        look("bound")

    def watched_listen(self: socket.socket, backlog: int) -> None:
        look("about to listen")
        listen(self, backlog)

    monkeypatch.setattr(socket.socket, "bind", watched_bind)
    monkeypatch.setattr(socket.socket, "listen", watched_listen)
    with umask(mask), runtime.listen_outlet("radio", Access(0o660, GROUP)), connect(native):
        group = grp.getgrnam(GROUP).gr_gid
        assert seen == [("bound", "0o600", os.getegid()), ("about to listen", "0o660", group)]


def test_a_group_narrows_the_socket(runtime):
    with runtime.listen_outlet("radio", Access(0o660, GROUP)):
        there = (runtime.outlet("radio") / "native").stat()
        assert (stat.S_IMODE(there.st_mode), there.st_gid) == (0o660, grp.getgrnam(GROUP).gr_gid)
        assert mode(runtime.outlet("radio")) == 0o755


def test_where_several_users_share_it_a_group_narrows_the_directory(tmp_path):
    runtime = Runtime(tmp_path / "runtime", shared=True)
    with runtime.listen_outlet("radio", Access(0o660, GROUP)), runtime.listen_outlet("open", Access()):
        there = runtime.outlet("radio").stat()
        assert (stat.S_IMODE(there.st_mode), there.st_gid) == (0o750, grp.getgrnam(GROUP).gr_gid)
        assert mode(runtime.outlet("open")) == 0o755
        assert mode(runtime.path) == mode(runtime.outlets) == 0o711
    runtime.close()


def test_the_control_socket_is_its_owners_unless_a_group_is_named(tmp_path):
    for shared, access in ((False, Access(0o600)), (True, Access(0o660, GROUP))):
        runtime = Runtime(tmp_path / f"runtime-{shared}", shared, access)
        with runtime.listen_control():
            there = (runtime.path / "control").stat()
        assert stat.S_IMODE(there.st_mode) == access.mode
        assert there.st_gid == (grp.getgrnam(GROUP).gr_gid if access.group else os.getegid())
        runtime.close()


def test_an_unknown_group_is_named(runtime):
    assert "no-such-group" in listen_refused(runtime, access=Access(0o660, "no-such-group"))
    assert not (runtime.outlet("radio") / "native").exists()


def test_a_client_connects_and_the_socket_has_a_deep_backlog(runtime):
    with runtime.listen_outlet("radio", Access()) as listening:
        clients = [connect(runtime.outlet("radio") / "native") for _ in range(200)]
        accepted, _ = listening.accept()
        accepted.close()
        for client in clients:
            client.close()


def test_the_directory_stays_and_only_the_socket_is_new(runtime):
    native = runtime.outlet("radio") / "native"
    with runtime.listen_outlet("radio", Access()) as first:
        directory = runtime.outlet("radio").stat().st_ino
        with runtime.listen_outlet("radio", Access()) as second, connect(native):
            assert runtime.outlet("radio").stat().st_ino == directory
            second.accept()[0].close()
            with pytest.raises(BlockingIOError):
                first.accept()


def test_an_outlet_is_removed_with_its_directory(runtime):
    runtime.listen_outlet("radio", Access()).close()
    runtime.remove_outlet("radio")
    assert not runtime.outlet("radio").exists()
    runtime.remove_outlet("radio")


def test_what_is_not_ours_survives_removal(runtime):
    runtime.listen_outlet("radio", Access()).close()
    (runtime.outlet("radio") / "note.txt").write_text("mine")
    runtime.remove_outlet("radio")
    assert [path.name for path in runtime.outlet("radio").iterdir()] == ["note.txt"]


@pytest.mark.case("P62")
@pytest.mark.parametrize("length", [60, 107, 108, 109, 250])
def test_paths_of_every_length_work(tmp_path, length):
    parent = tmp_path
    missing = length - len(str(tmp_path / "outlets/radio/native")) - 1
    if missing > 0:
        parent = tmp_path / ("x" * missing)
    runtime = Runtime(parent)
    with runtime.listen_outlet("radio", Access()) as listening, connect(runtime.outlet("radio") / "native"):
        listening.accept()[0].close()
    with runtime.listen_control(), connect(runtime.path / "control"):
        pass
    runtime.close()


# --- what is already there --------------------------------------------------------------------------------------------


@pytest.mark.case("P66")
def test_one_desk_at_a_time(tmp_path):
    path = tmp_path / "runtime"
    runtime = Runtime(path)
    assert refused(path).startswith(f"{path}: a desk is already running here, pid {os.getpid()}; ")
    runtime.close()
    Runtime(path).close()


def test_a_directory_of_ours_is_narrowed_if_it_is_empty(tmp_path):
    (tmp_path / "runtime").mkdir(mode=0o755)
    Runtime(tmp_path / "runtime").close()
    assert mode(tmp_path / "runtime") == 0o700


@pytest.mark.case("P64")
def test_a_directory_with_other_files_is_not_narrowed(tmp_path):
    (tmp_path / "home").mkdir(mode=0o755)
    (tmp_path / "home/letter.txt").touch()
    assert f"{tmp_path}/home: holds other files" in refused(tmp_path / "home")
    assert mode(tmp_path / "home") == 0o755


@pytest.mark.case("P64")
@pytest.mark.parametrize("bits", [0o720, 0o702, 0o777], ids=oct)
def test_a_directory_that_others_may_write_to_is_refused(tmp_path, bits):
    (tmp_path / "runtime").mkdir()
    (tmp_path / "runtime").chmod(bits)
    assert f"{tmp_path}/runtime: others may write to it (mode {bits:04o})" in refused(tmp_path / "runtime")


@pytest.mark.case("P64")
def test_a_directory_below_one_where_everybody_may_rename_is_refused(tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    assert f"{tmp_path}/open: everybody may rename" in refused(tmp_path / "open/runtime")
    (tmp_path / "open").chmod(0o1777)
    Runtime(tmp_path / "open/runtime").close()


@pytest.mark.case("P64")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("what", ["", "outlets", "outlets/radio"])
def test_a_directory_of_somebody_else_is_refused(tmp_path, what):
    (tmp_path / "runtime/outlets/radio").mkdir(parents=True, mode=0o700)
    (tmp_path / "runtime").chmod(0o700)
    os.chown(tmp_path / "runtime" / what, 12345, 12345)
    if what == "outlets/radio":
        runtime = Runtime(tmp_path / "runtime")
        said = listen_refused(runtime)
        runtime.close()
    else:
        said = refused(tmp_path / "runtime")
    assert said.startswith(f"{(tmp_path / 'runtime' / what)}: belongs to uid 12345")


@pytest.mark.case("P63")
@pytest.mark.parametrize("what", ["runtime", "runtime/outlets", "runtime/lock"])
def test_a_link_or_a_file_in_the_way_is_refused_and_left(tmp_path, what):
    target = tmp_path / "elsewhere"
    target.mkdir(mode=0o700)
    path = tmp_path / what
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.symlink_to(target)
    assert str(path) in refused(tmp_path / "runtime")
    assert path.is_symlink()
    assert not list(target.iterdir())


@pytest.mark.case("P63")
def test_a_lock_that_leads_to_a_file_is_refused_and_the_file_left(tmp_path):
    (tmp_path / "runtime").mkdir(mode=0o700)
    (tmp_path / "letter.txt").write_text("mine")
    (tmp_path / "runtime/lock").symlink_to(tmp_path / "letter.txt")
    assert f"{tmp_path}/runtime/lock" in refused(tmp_path / "runtime")
    assert (tmp_path / "letter.txt").read_text() == "mine"


@pytest.mark.case("P63")
def test_an_outlets_directory_that_is_a_link_is_refused(runtime, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    runtime.outlet("radio").symlink_to(tmp_path / "elsewhere")
    assert f"{runtime.outlet('radio')}: a link or no directory" in listen_refused(runtime)
    assert not list((tmp_path / "elsewhere").iterdir())


def plant(path: Path, what: str) -> None:
    match what:
        case "file":
            path.write_text("mine")
        case "link":
            path.symlink_to("/dev/null")
        case "dangling link":
            path.symlink_to("nowhere")
        case "directory":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "hard link of a file":
            (path.parent / "letter.txt").write_text("mine")
            path.hardlink_to(path.parent / "letter.txt")
        case "hard link of a socket":
            with socket.socket(socket.AF_UNIX) as other:
                other.bind(str(path.parent / "other"))
            path.hardlink_to(path.parent / "other")


PLANTED = ["file", "link", "dangling link", "directory", "fifo", "hard link of a file", "hard link of a socket"]


@pytest.mark.case("P63")
@pytest.mark.parametrize("what", PLANTED)
def test_what_was_planted_at_the_sockets_path_is_refused_and_left(runtime, what):
    native = runtime.outlet("radio") / "native"
    native.parent.mkdir()
    plant(native, what)
    before = native.lstat()
    assert f"{native}: something that is no socket of ours lies there" in listen_refused(runtime)
    runtime.remove_outlet("radio")
    after = native.lstat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)


@pytest.mark.case("P63")
@pytest.mark.parametrize("what", PLANTED)
def test_what_was_planted_at_the_control_sockets_path_is_refused_and_left(runtime, what):
    control = runtime.path / "control"
    plant(control, what)
    before = control.lstat()
    for act in (runtime.listen_control, runtime.remove_control):
        with pytest.raises(Complaint, match=f"{control}: something that is no socket of ours lies there"):
            act()
    after = control.lstat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)


@pytest.mark.case("P63")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_somebody_elses_socket_is_refused_and_left(runtime):
    native = runtime.outlet("radio") / "native"
    runtime.listen_outlet("radio", Access()).close()
    os.chown(native, 12345, 12345)
    assert f"{native}: something that is no socket of ours lies there" in listen_refused(runtime)
    assert native.exists()


@pytest.mark.case("P63")
@pytest.mark.parametrize("what", ["link", "file"])
def test_what_is_put_in_the_sockets_place_while_it_is_made_keeps_its_mode(runtime, tmp_path, monkeypatch, what):
    """A container that has its directory mounted writable may be quick."""
    treasure = tmp_path / "treasure"
    treasure.touch(mode=0o600)
    native = runtime.outlet("radio") / "native"
    bind = socket.socket.bind

    def swapped(self: socket.socket, address: str) -> None:
        bind(self, address)
        native.unlink()
        if what == "link":
            native.symlink_to(treasure)
        else:
            native.hardlink_to(treasure)

    monkeypatch.setattr(socket.socket, "bind", swapped)
    assert f"{native}: something that is no socket of ours" in listen_refused(runtime)
    assert mode(treasure) == 0o600


@pytest.mark.case("P63")
def test_a_link_to_another_socket_that_is_put_in_its_place_leaves_that_ones_mode(runtime, monkeypatch):
    native, control = runtime.outlet("radio") / "native", runtime.path / "control"
    bind = socket.socket.bind

    def swapped(self: socket.socket, address: str) -> None:
        bind(self, address)
        native.unlink()
        native.symlink_to(control)

    with runtime.listen_control():
        monkeypatch.setattr(socket.socket, "bind", swapped)
        assert f"{native}: something that is no socket of ours" in listen_refused(runtime)
        assert mode(control) == 0o600


def test_a_directory_that_cannot_be_made_is_named(tmp_path):
    assert f"{tmp_path}/no/such/runtime: No such file or directory" in refused(tmp_path / "no/such/runtime")
    (tmp_path / "file").touch()
    assert f"{tmp_path}/file" in refused(tmp_path / "file")


def test_whose_a_socket_is(runtime):
    with runtime.listen_outlet("radio", Access(0o660, GROUP)):
        assert runtime.permissions("radio") == Permissions(user_name(os.geteuid()), GROUP, "0660")
    (runtime.outlet("radio") / "native").unlink()
    assert runtime.permissions("radio") is None
    (runtime.outlet("radio") / "native").symlink_to(runtime.path / "lock")
    assert runtime.permissions("radio") is None


def test_outlets_that_nobody_serves_are_told(runtime):
    runtime.listen_outlet("killed", Access()).close()
    (runtime.outlets / "empty").mkdir()
    with runtime.listen_outlet("served", Access()), runtime.listen_outlet("known", Access()):
        assert sorted(runtime.forsaken({"known"})) == ["empty", "killed"]
    assert sorted(runtime.forsaken(())) == ["empty", "killed", "known", "served"]


def test_a_control_socket_that_somebody_else_serves_is_left(runtime):
    with socket.socket(socket.AF_UNIX) as manager:
        manager.bind(str(runtime.path / "control"))
        manager.listen()
        with pytest.raises(Complaint, match=r"control: somebody listens there already; .* stop eardrum\.socket"):
            runtime.listen_control()
        connect(runtime.path / "control").close()


@pytest.mark.parametrize(
    ("name", "bits", "complaint"),
    [
        ("control", 0o600, None),
        ("control", 0o660, "others may connect to it; its mode is to be 0600"),
        ("control", 0o606, "others may connect to it"),
        ("other", 0o600, "is not the desk's control socket"),
        ("outlets/control", 0o600, "is not the desk's control socket"),
    ],
)
def test_a_control_socket_made_by_a_service_manager_is_checked(runtime, name, bits, complaint):
    with socket.socket(socket.AF_UNIX) as given:
        given.bind(str(runtime.path / name))
        (runtime.path / name).chmod(bits)
        given.listen()
        if complaint is None:
            runtime.check_control(given)
        else:
            with pytest.raises(Complaint, match=complaint):
                runtime.check_control(given)


def test_a_given_control_socket_whose_name_is_gone_is_refused(runtime):
    with socket.socket(socket.AF_UNIX) as given:
        given.bind(str(runtime.path / "control"))
        given.listen()
        (runtime.path / "control").unlink()
        with pytest.raises(Complaint, match="control: No such file or directory"):
            runtime.check_control(given)


def test_a_link_at_the_sockets_place_has_nobody_connected_to(runtime, tmp_path):
    with socket.socket(socket.AF_UNIX) as of_the_host:
        of_the_host.bind(str(tmp_path / "host"))
        of_the_host.listen()
        of_the_host.setblocking(False)
        runtime.outlet("radio").mkdir()
        (runtime.outlet("radio") / "native").symlink_to(tmp_path / "host")
        assert runtime.forsaken(()) == ["radio"]
        with pytest.raises(BlockingIOError):
            of_the_host.accept()
