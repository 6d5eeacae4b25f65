"""What a container reaches that may write to its outlet's directory; and that there is no network."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from eardrum.testing.processes import family
from eardrum.testing.servers import end


@pytest.fixture
def inside(rootfs):
    """The command line of a container whose outlet is mounted so that it may write there."""

    def command_line(outlet, script):
        argv = rootfs.bubblewrap(0, "sh", "-c", script)
        place = argv.index("--tmpfs") + 2  # behind that of /run
        return [*argv[:place], "--bind", str(outlet.directory), "/run/pulse", *argv[place:]]

    return command_line


@pytest.mark.case("P69")
@pytest.mark.parametrize(
    ("way", "target"),
    [("../neighbour/native", None), ("way/native", "../neighbour"), ("way", "../neighbour/native")],
    ids=["a path", "a link to the directory", "a link to the socket"],
)
def test_an_outlet_that_may_be_written_to_leads_to_no_other(stage, desk, inside, way, target):
    mine, neighbour = desk.open("mine", output="null"), desk.open("neighbour", output="null")
    if target:
        (mine.directory / "way").symlink_to(target)
    assert (mine.directory / way).exists()  # outside it leads there
    script = f"cd /run/pulse; pactl -s unix:/run/pulse/native info && pactl -s 'unix:/run/pulse/{way}' info"
    done = stage.run(inside(mine, script))
    assert "Host Name: mine\n" in done.stdout  # the container reaches what is its own
    assert "Host Name: neighbour" not in done.stdout
    assert done.returncode == 1
    assert desk.list()[neighbour.name]["worker"] is None  # nobody has come


@pytest.mark.case("P69")
def test_what_a_container_puts_into_its_directory_leads_the_desk_nowhere(stage, open_desk):
    """The next desk makes the sockets anew: not through a link, and not where it leads."""
    runtime = stage.make_directory("planted")
    first = open_desk(runtime=runtime)
    mine, neighbour = first.open("mine", output="null"), first.open("neighbour", output="null")
    native = neighbour.directory / "native"
    (mine.directory / "native").unlink()
    (mine.directory / "native").symlink_to("../neighbour/native")
    assert first.list()["mine"]["permissions"] is None
    end(first.process)
    before = native.lstat()
    second = open_desk(runtime=runtime)
    assert list(second.list()) == ["neighbour"]
    assert (mine.directory / "native").is_symlink()
    assert stage.pactl(neighbour.address, "info")
    assert native.lstat().st_mode == before.st_mode


@pytest.mark.case("P74")
def test_a_container_does_not_reach_the_control_socket(stage, desk, inside):
    outlet = desk.open("mine", output="null")
    script = "cd /run/pulse; ls -a . .. ../.. /run; test -S ../control || test -S ../../control || test -S /run/control"
    done = stage.run(inside(outlet, script))
    assert (done.returncode, "control" in done.stdout) == (1, False)
    with socket.socket(socket.AF_UNIX) as orders:  # those that are written to the outlet instead
        orders.settimeout(30)
        orders.connect(outlet.address.removeprefix("unix:"))
        orders.sendall(b"DELETE /v1/outlets/mine HTTP/1.1\r\nHost: eardrum\r\nContent-Length: 0\r\n\r\n")
        assert orders.recv(100) == b""
    assert "mine" in desk.list()


@pytest.mark.case("P70")
def test_who_is_root_in_a_container_may_no_more_than_others(stage, desk, container):
    """Root there is the very user of the desk."""
    for words in ("load-module module-null-sink", "exit"):
        done = desk.command("run", "--output=null", "--", *container("pactl", *words.split()))
        assert (done.returncode, done.stderr.splitlines()[-1]) == (1, "Failure: Access denied")


def sockets_of(pids):
    """Of these processes: inode by inode, in which table of /proc/net it is, and its line there."""
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            if found := re.fullmatch(r"socket:\[(\d+)\]", str(link.readlink())):
                inodes.add(found[1])
    for table in Path("/proc/net").iterdir():
        column = {"unix": 6, "packet": 8}.get(table.name, 9)
        if re.fullmatch("unix|netlink|packet|(tcp|udp|udplite|raw|icmp)6?", table.name):
            for line in table.read_text().splitlines()[1:]:
                words = line.split()
                if len(words) > column and words[column] in inodes:
                    yield table.name, words


@pytest.mark.case("P67")
def test_there_is_no_abstract_socket_and_no_network(stage, open_desk, pulseaudio, endless, until, tmp_path):
    """Of a desk that plays, hears, records and is asked, and of `serve`."""
    desk = open_desk(upstream=pulseaudio.address)
    outlets = [
        desk.open("host", output="host", input="host"),
        desk.open("room", output="room:hall", input="room:hall"),
        desk.open("file", output=f"file:{tmp_path}/tune.wav"),
    ]
    serve = stage.serve("serve", "--sink", "null")
    addresses = [*(outlet.address for outlet in outlets), serve.address]
    for address in addresses:
        endless(address)
        until(lambda: stage.pactl(address, "list", "short", "sink-inputs"), "somebody to play")  # noqa: B023
    found = list(sockets_of([*family(desk.process.pid), *family(serve.pids[0])]))
    assert {table for table, _ in found} == {"unix"}
    names = {words[7] for _, words in found if len(words) > 7}
    directories = {str(Path(name).parent) for name in names}
    assert {str(Path(address.removeprefix("unix:")).parent) for address in addresses} <= directories
    assert [name for name in names if not name.startswith("/")] == []
