"""The image, and the example of compose: what they run is run here, in containers of this machine's own files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from eardrum.testing.installed import BINDS, PLACE, build_wheel, install
from eardrum.testing.rootfs import PLAYER
from eardrum.testing.servers import end, wait_until

IMAGE = Path(__file__).parents[2] / "image"
USED = {"image", "command", "volumes", "network_mode", "read_only", "cap_drop", "security_opt", "healthcheck",
        "depends_on"}  # fmt: skip


def instructions() -> dict[str, str]:
    """The last of each kind of instruction in the Containerfile."""
    lines = (IMAGE / "Containerfile").read_text().replace("\\\n", "").splitlines()
    return dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))


SAYS = instructions()
ENTRYPOINT, CMD = json.loads(SAYS["ENTRYPOINT"]), json.loads(SAYS["CMD"])
USER = int(SAYS["USER"])


@pytest.fixture(scope="module")
def image(stage):
    """A root file system as the image has it: the wheel is installed, and its directories belong to its user."""
    root = stage.make_directory("image")
    root.chmod(0o755)
    for name in ("dev", "proc", "sys", "etc", "tmp", "recordings", "run/eardrum", "run/pulse"):
        (root / name).mkdir(parents=True)
    for name in ("bin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    install(build_wheel(stage.make_directory("image-wheel")), root)
    return root


@pytest.fixture
def podman(stage, image):
    """Starts a container of the image: `podman(name, command, *options)`; it ends with the test."""
    storage = stage.make_directory("podman")
    processes = []

    def start(name, command, *options):
        binds = [f"--volume={here}:{there}:ro" for there, here in BINDS.items()]
        argv = ["podman", "--root", f"{storage}/root", "--runroot", f"{storage}/runroot", "--runtime", "runc", "run"]
        argv += ["--rm", "--ulimit=nofile=1024:1024", "--ulimit=nproc=1000:1000", f"--user={USER}", *binds]
        argv += [f"--env={SAYS['ENV']}", f"--env=PATH={PLACE}:/usr/bin", *options]
        processes.append(stage.start(name, [*argv, "--rootfs", str(image), *ENTRYPOINT, *command]))
        return processes[-1]

    yield start
    for process in processes:
        end(process)


@pytest.fixture
def play(stage, rootfs):
    """Plays /sounds/short.wav in a container of another user that has this directory at /run/pulse."""

    def run(directory):
        options = ["--volume", f"{directory}:/run/pulse:ro"]
        done = stage.run(
            rootfs.podman(stage.make_directory("podman"), PLAYER, "paplay", "/sounds/short.wav", options=options)
        )
        assert done.returncode == 0, done.stderr

    return run


@pytest.fixture
def volume(base):
    """Makes an empty volume that belongs to the image's user, as an engine fills it from the image."""

    def make():
        directory = base()
        shutil.chown(directory, USER, USER)
        return directory

    return make


def options_of(service, volumes):
    """What compose would have podman run a service with; `volumes` are the named ones."""
    assert set(service) <= USED
    options = [f"--network={service['network_mode']}", *(f"--cap-drop={name}" for name in service["cap_drop"])]
    options += [f"--security-opt={option}" for option in service["security_opt"]]
    options += ["--read-only"] if service["read_only"] else []
    for said in service["volumes"]:
        source, _, there = said.partition(":")
        options.append(f"--volume={volumes[source] if source in volumes else IMAGE / source}:{there}")
    return options


def test_the_example_of_compose_plays(podman, play, volume, load, assert_whole):
    example = yaml.safe_load((IMAGE / "compose.yaml").read_text())
    volumes = {name: volume() for name in example["volumes"]}
    desk, browser = example["services"]["desk"], example["services"]["browser"]
    process = podman("compose", desk["command"], *options_of(desk, volumes))
    (mount,) = [volume for volume in browser["volumes"] if isinstance(volume, dict)]
    assert (mount["target"], mount["read_only"]) == ("/run/pulse", True)
    outlet = volumes[mount["source"]] / mount["volume"]["subpath"]
    wait_until((outlet / "native").is_socket, "the outlet of the configuration")
    play(outlet)
    assert desk["healthcheck"]["test"][:2] == ["CMD", *ENTRYPOINT]
    assert podman("health", desk["healthcheck"]["test"][2:], *options_of(desk, volumes)).wait(60) == 0
    end(process)
    assert_whole(load(volumes["recordings"] / "browser.flac"), "short")


def test_the_page_has_the_example_as_it_is():
    page = (IMAGE.parent / "docs/at-login-and-at-boot.md").read_text()
    for language, file in (("yaml", "compose.yaml"), ("toml", "eardrum.toml")):
        assert f"```{language}\n{(IMAGE / file).read_text()}```\n" in page


def test_by_itself_the_image_is_a_server(stage, podman, play, volume, load, assert_whole):
    pulse, recordings = volume(), volume()
    mounts = [f"--volume={pulse}:/run/pulse", f"--volume={recordings}:/recordings"]
    process = podman("served", [*CMD, "--sink", "file:/recordings/all.wav"], "--network=none", "--read-only", *mounts)
    wait_until((pulse / "native").is_socket, "the server's socket")
    play(pulse)
    end(process)
    assert_whole(load(recordings / "all.wav"), "short")
