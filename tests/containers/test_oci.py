from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from eardrum.containers import oci
from eardrum.terms.errors import Complaint
from eardrum.testing.rootfs import PLAYER, Rootfs
from eardrum.testing.servers import wait_until

MOUNT = [
    *("--mount", "type=bind,src=/o/game,dst=/run/pulse,ro"),
    *("--env", "PULSE_SERVER=unix:/run/pulse/native"),
    *("--env", "PULSE_CLIENTCONFIG=/run/pulse/client.conf"),
    *("--env", "ALSA_CONFIG_PATH=/usr/share/alsa/alsa.conf:/run/pulse/asound.conf"),
]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("podman run", "img"),
        ("podman run", "--rm -it --env PULSE_SERVER= img sh -c true"),
        ("podman create", "img"),
        ("podman container run", "img"),
        ("podman container create", "img"),
        ("/usr/bin/podman run", "img"),
        ("podman --root run --runroot=/x --log-level debug run", "img"),
        ("podman -r -c run --syslog run", "img run"),
        ("podman -crun run", "img"),
        ("/usr/bin/docker run", "--rm img"),
        ("docker -D -H unix:///x --tls -l debug container run", "img"),
        ("nerdctl -n k8s.io --debug --address /x create", "img"),
        ("podman --storage-opt a --storage-opt b --runtime runc run", "--rootfs dir true"),
    ],
)
def test_the_outlet_goes_right_behind_run(before, after):
    before, after = before.split(), after.split()
    assert oci.spliced([*before, *after], "/o/game") == [*before, *MOUNT, *after]


def test_a_path_with_a_comma_is_one_field():
    assert oci.spliced(["podman", "run", "img"], '/o,"x')[3] == 'type=bind,"src=/o,""x",dst=/run/pulse,ro'


@pytest.mark.parametrize("words", ["", "ps", "container ls", "--root /x ps", "start game", "--root", "container"])
def test_a_command_that_makes_no_container(words):
    with pytest.raises(Complaint, match="use `docker run …` or `docker create …`"):
        oci.spliced(["/usr/bin/docker", *words.split()], "/o/game")
    with pytest.raises(Complaint, match="use `podman run …` or `podman create …`") as raised:
        oci.spliced(["podman", *words.split()], "/o/game")
    assert raised.value.status == 125


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("--name game img", "game"),
        ("--name=game img", "game"),
        ("--name a --name b img", "b"),
        ("--rm -it alpine sh", "alpine"),
        ("-itv /a:/b -e A=B -w/x --net none docker.io/library/alpine:3.19 sh", "alpine"),
        ("registry:5000/team/bot@sha256:0123", "bot"),
        ("--rm --rootfs /srv/roots/bookworm:O sh", "bookworm"),
        ("--rm -- img", "img"),
        ("--rm", "podman"),
    ],
)
def test_what_the_container_is_called(words, name):
    assert oci.suggested_name(["podman", "run", *words.split()]) == name


@pytest.mark.parametrize(
    ("words", "outlives"),
    [
        ("run img", False),
        ("run --rm -it img -d", False),
        ("run -d img", True),
        ("run -itd img", True),
        ("run -ed img", False),
        ("run --detach img", True),
        ("run --detach=true img", True),
        ("run --detach=false img", False),
        ("run -d=false img", False),
        ("run --name -d img", False),
        ("create img", True),
    ],
)
def test_a_container_that_outlives_the_command(words, outlives):
    assert oci.outlives(["podman", *words.split()]) is outlives


@pytest.mark.live
@pytest.mark.parametrize("engine", ["podman", "docker"])
@pytest.mark.parametrize(("words", "ours"), [([], oci.GLOBAL_FLAGS), (["run"], oci.FLAGS)])
def test_flags_are_what_this_engine_takes_for_flags(engine, words, ours):
    said = subprocess.run([engine, *words, "--help"], capture_output=True, text=True, check=True).stdout
    options = re.findall(r"^ +(?:-(\w), )?--([a-z0-9-]+)( ?\S*)", said[said.index("Options:\n") :], re.MULTILINE)
    flags = {name for short, long, value in options if not value.strip() for name in (short, long) if name}
    takers = {name for short, long, value in options if value.strip() for name in (short, long) if name}
    assert len(options) > 5
    assert flags <= ours
    assert not takers & ours


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Rootfs:
    place = tmp_path_factory.mktemp("rootfs")
    (place / "sounds").mkdir()
    return Rootfs(place / "root", place / "sounds")


@pytest.fixture
def storage() -> Iterator[Path]:
    """podman wants a short path, and goes on in it for a moment when the container has ended."""
    directory = Path(tempfile.mkdtemp(prefix="eardrum-"))
    yield directory

    def gone() -> bool:
        shutil.rmtree(directory, ignore_errors=True)
        return not directory.exists()

    wait_until(gone, "podman to leave its storage")


@pytest.mark.live
@pytest.mark.parametrize("uid", [0, PLAYER])
@pytest.mark.parametrize("directory", ["game", "a,b:c d"])
@pytest.mark.parametrize("read_only", [True, False])
def test_podman_mounts_it_read_only(root, storage, tmp_path, uid, directory, read_only):
    outlet = tmp_path / directory
    outlet.mkdir()
    (outlet / "native").write_text("here it is")
    script = "read x </run/pulse/native; echo $x; echo $PULSE_SERVER; : >/run/pulse/new"
    command = root.podman(storage, uid, "/bin/sh", "-c", script)
    if not read_only:
        command.remove("--read-only")
    command = oci.spliced(command, str(outlet))
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.stdout == "here it is\nunix:/run/pulse/native\n", ran.stderr
    assert "Read-only file system" in ran.stderr
