"""The systemd units: how little they expose, and that a desk plays under all their restrictions."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from eardrum.kernel.confinement import Layer
from eardrum.testing.booted import MEMBER, booted
from eardrum.testing.installed import PLACE, build_wheel
from eardrum.testing.servers import wait_until

PAGE = (Path(__file__).parents[2] / "docs/at-login-and-at-boot.md").read_text()
TO_TYPE, TO_WRITE = (re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL) for kind in ("sh", "ini"))
UNITS = Path(str(resources.files("eardrum"))) / "systemd"
SYSTEM = ["env", "EARDRUM_RUNTIME_DIR=/run/eardrum", "eardrum"]
RECORDINGS = "/var/lib/eardrum"
CONFIGURATION = f"""\
[[outlet]]
name = "bell"
output = "file:{RECORDINGS}/bell.wav"
"""
ROOTED = f"""\
[Service]
Type=notify
ExecStart={PLACE}/eardrum up --system --runtime-dir /run/rooted --upstream none
"""
COME_BACK = """
import ctypes, os, pwd, subprocess
from eardrum.kernel.system_user import drop_root
drop_root(pwd.getpwnam("eardrum"))
for way in (
    lambda: os.setuid(0), lambda: os.seteuid(0), lambda: os.setresuid(0, 0, 0), lambda: os.setgid(0),
    lambda: os.setgroups([0]), lambda: os.chroot("/"), lambda: os.chown("/run/eardrum", 0, 0),
    lambda: open("/root/secret"), lambda: os.kill(1, 0),
):
    try:
        way()
    except PermissionError:
        continue
    raise SystemExit("is allowed")
print(subprocess.run(["/root-again", "-u"], capture_output=True, text=True).stdout, end="")
"""


def exposure(directory: Path, unit: Path, *more: str, user: bool = False) -> float:
    """What systemd-analyze says of a unit with these files beside it, from 0 to 10."""
    shutil.copy(unit / "eardrum.service", directory)
    drop_ins = directory / "eardrum.service.d"
    drop_ins.mkdir()
    for name in more:
        shutil.copy(unit / name, drop_ins)
    done = subprocess.run(
        ["systemd-analyze", *(["--user"] if user else []), "security", "--offline=yes", "--no-pager",
         directory / "eardrum.service"],
        env={"XDG_RUNTIME_DIR": str(directory), "PATH": "/usr/bin"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)[1])


def test_the_machines_unit_exposes_next_to_nothing(tmp_path):
    assert exposure(tmp_path, UNITS / "system") <= 0.5


def test_with_sound_cards_it_exposes_little_more(tmp_path):
    assert exposure(tmp_path, UNITS / "system", "alsa.conf") <= 0.8


def test_the_users_unit_exposes_what_its_user_has(tmp_path):
    assert exposure(tmp_path, UNITS / "user", user=True) <= 1.9


def test_without_namespaces_most_of_it_are_capabilities_that_no_user_has(tmp_path):
    assert exposure(tmp_path, UNITS / "user", "without-namespaces.conf", user=True) <= 6.0


@pytest.fixture(scope="module")
def machine(stage, sounds):
    with booted(stage, build_wheel(stage.make_directory("wheel"))) as machine:
        shutil.copytree(sounds, machine.path("/sounds"))
        yield machine


@pytest.fixture(scope="module")
def group(machine):
    """The system's desk waits for its first order; the number of the group that may give it."""
    machine.path("/etc/eardrum").mkdir()
    machine.path("/etc/eardrum/config.toml").write_text(CONFIGURATION)
    machine.run("sh", "-ec", TO_TYPE[1])
    machine.run("systemctl", "stop", "eardrum.service")
    return int(machine.run("getent", "group", "eardrum").split(":")[2])


@pytest.fixture(scope="module")
def session(machine, group):
    """The service manager of a user, whose desk waits for its first order."""
    machine.run("systemctl", "start", f"user@{MEMBER}.service")
    machine.run("sh", "-ec", TO_TYPE[0], uid=MEMBER)
    machine.run("systemctl", "--user", "stop", "eardrum.service", uid=MEMBER)


def status(machine, pid: int) -> dict[str, str]:
    """/proc/PID/status of a process of the machine."""
    lines = machine.run("cat", f"/proc/{pid}/status").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def main_pid(machine, unit: str) -> int:
    return int(machine.run("systemctl", "show", "--property=MainPID", "--value", unit))


def assert_has_nothing_of_root(machine, pid):
    has = status(machine, pid)
    uid, gid = machine.run("id", "-u", "eardrum").strip(), machine.run("id", "-g", "eardrum").strip()
    assert has["Uid"].split() == [uid] * 4
    assert has["Gid"].split() == [gid] * 4
    assert has["Groups"].split() in ([], [gid])
    assert {has[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert has["NoNewPrivs"] == "1"


def confinement(machine, *eardrum: str, uid: int = 0) -> list[str]:
    """The layers that hold for each worker, under the restrictions of the unit."""
    outlets = json.loads(machine.run(*eardrum, "list", "--json", uid=uid))["outlets"]
    (layers,) = {tuple(outlet["confinement"]) for outlet in outlets if outlet["confinement"]}
    return list(layers)


def play(machine, native: str, uid: int = 0) -> None:
    machine.run("env", f"PULSE_SERVER=unix:{native}", "paplay", "/sounds/short.wav", uid=uid)


def test_the_machines_desk_starts_with_its_first_order_and_plays(machine, group, load, assert_whole):
    assert "radio" in machine.run("sh", "-ec", TO_TYPE[2], uid=MEMBER, groups=[group])
    assert_has_nothing_of_root(machine, main_pid(machine, "eardrum.service"))
    bell = machine.path("/run/eardrum/outlets/bell").stat().st_ino
    for outlet in ("radio", "bell"):
        play(machine, f"/run/eardrum/outlets/{outlet}/native", uid=MEMBER)
    assert confinement(machine, *SYSTEM) == [layer.name.lower() for layer in Layer]
    machine.run("systemctl", "restart", "eardrum.service")
    assert_whole(load(machine.path(f"{RECORDINGS}/radio.wav")), "short")
    assert_whole(load(machine.path(f"{RECORDINGS}/bell.wav")), "short")
    assert machine.path("/run/eardrum/outlets/bell").stat().st_ino == bell
    play(machine, "/run/eardrum/outlets/bell/native", uid=MEMBER)
    machine.run("systemctl", "stop", "eardrum.service")
    assert_whole(load(machine.path(f"{RECORDINGS}/bell-2.wav")), "short")
    assert "bell" in machine.run(*SYSTEM, "list", uid=MEMBER, groups=[group])  # started anew by that


KILLED = """\
PULSE_SERVER=unix:/run/eardrum/outlets/bell/native paplay /sounds/long.wav & player=$!
until eardrum list --runtime-dir /run/eardrum | grep -q playing; do sleep 0.1; done
kill -KILL $(systemctl show --property=MainPID --value eardrum.service)
wait $player
"""


def test_programs_outlive_a_desk_that_was_killed(machine, group, load, assert_whole):
    machine.run(*SYSTEM, "list")
    before = main_pid(machine, "eardrum.service")
    machine.run("sh", "-ec", KILLED)
    wait_until(lambda: main_pid(machine, "eardrum.service") not in (0, before), "systemd to start another desk")
    machine.run(*SYSTEM, "close", "bell")
    (recording,) = (path for path in machine.path(RECORDINGS).glob("bell*") if path.stat().st_size > 4 * 48_000 * 3)
    assert_whole(load(recording), "long")


def test_only_members_of_the_group_give_orders(machine, group):
    with pytest.raises(RuntimeError, match="cannot reach the desk in /run/eardrum: Permission denied"):
        machine.run(*SYSTEM, "list", uid=MEMBER)
    there = machine.path("/run/eardrum/control").stat()
    assert (oct(there.st_mode & 0o7777), there.st_gid) == ("0o660", group)
    machine.run(*SYSTEM, "list")


def test_a_socket_is_given_to_a_group_of_the_desks_user(machine, group):
    machine.run(*SYSTEM, "open", "few", "--output", "null", "--mode", "0660", "--group", "eardrum")
    play(machine, "/run/eardrum/outlets/few/native")
    with pytest.raises(RuntimeError, match=r"Access denied|Connection refused|Permission denied"):
        play(machine, "/run/eardrum/outlets/few/native", uid=MEMBER)
    machine.run(*SYSTEM, "close", "few")


def test_other_directories_are_out_of_reach_until_they_are_allowed(machine, group, load, assert_whole):
    places = ["/srv/recordings", "/home/member/recordings"]
    machine.run("install", "--directory", "--owner=eardrum", *places)
    for place in places:
        with pytest.raises(RuntimeError, match=place):
            machine.run(*SYSTEM, "open", "far", "--output", f"file:{place}/far.wav")
    drop_in = machine.path("/etc/systemd/system/eardrum.service.d/recordings.conf")
    drop_in.parent.mkdir()
    drop_in.write_text(f"{TO_WRITE[0]}BindPaths={places[1]}\nProtectHome=tmpfs\n")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "eardrum.service")
    for number, place in enumerate(places):
        outlet = machine.run(*SYSTEM, "open", f"far{number}", "--output", f"file:{place}/far.wav").strip()
        play(machine, f"{outlet}/native")
        machine.run(*SYSTEM, "close", f"far{number}")
        assert_whole(load(machine.path(f"{place}/far.wav")), "short")


def test_the_page_has_the_drop_in_for_sound_cards():
    assert TO_WRITE[1] == (UNITS / "system/alsa.conf").read_text()


def test_a_users_desk_starts_with_its_first_order_and_plays(machine, session, load, assert_whole):
    file = "/home/member/mine.wav"
    directory = machine.run("eardrum", "open", "mine", "--output", f"file:{file}", uid=MEMBER).strip()
    assert directory == f"/run/user/{MEMBER}/eardrum/outlets/mine"
    play(machine, f"{directory}/native", uid=MEMBER)
    assert confinement(machine, "eardrum", uid=MEMBER) == [layer.name.lower() for layer in Layer]
    machine.run("eardrum", "close", "mine", uid=MEMBER)
    assert_whole(load(machine.path(file)), "short")


HEARD = """\
parec --device=null.monitor --format=s16le --rate=48000 --channels=2 --latency-msec=50 > heard.raw & ear=$!
until [ -s heard.raw ]; do sleep 0.1; done
PULSE_SERVER=unix:$(eardrum open host)/native paplay /sounds/tone.wav || { kill $ear; exit 1; }
while cmp -s -n "$(stat -c %s heard.raw)" heard.raw /dev/zero; do sleep 0.1; done
until tail -c 4000 heard.raw | cmp -s -n 4000 - /dev/zero; do sleep 0.1; done
kill $ear
"""


def test_a_users_desk_reaches_the_users_server(machine, session, assert_whole):
    server = ["pulseaudio", "-n", "--daemonize=yes", "--exit-idle-time=-1", "--realtime=no", "--high-priority=no"]
    modules = ["-L", "module-null-sink sink_name=null rate=48000 norewinds=1", "-L", "module-native-protocol-unix"]
    machine.run(*server, *modules, uid=MEMBER)
    machine.run("sh", "-ec", f"cd; {HEARD}", uid=MEMBER)
    assert_whole(np.fromfile(machine.path("/home/member/heard.raw"), "<i2").reshape(-1, 2))


def test_uninstalled_the_units_and_the_desk_are_gone(machine, session):
    machine.run("eardrum", "up", "--uninstall", uid=MEMBER)
    assert "eardrum" not in machine.run("systemctl", "--user", "list-unit-files", uid=MEMBER)
    with pytest.raises(RuntimeError, match="no desk is running"):
        machine.run("eardrum", "list", uid=MEMBER)


def test_root_is_given_up_for_good(machine, group):
    machine.path("/etc/systemd/system/rooted.service").write_text(ROOTED)
    machine.path("/root/secret").write_text("")
    machine.path("/root/secret").chmod(0o600)
    machine.run("sh", "-c", "cp /usr/bin/id /root-again && chmod 4755 /root-again")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "rooted.service")
    assert_has_nothing_of_root(machine, main_pid(machine, "rooted.service"))
    machine.run(
        "eardrum", "open", "one", "--runtime-dir", "/run/rooted", "--output", "null", uid=MEMBER, groups=[group]
    )
    play(machine, "/run/rooted/outlets/one/native", uid=MEMBER)
    machine.run("systemctl", "stop", "rooted.service")
    assert machine.run(f"{PLACE}/python", "-c", COME_BACK) == machine.run("id", "-u", "eardrum")
    with pytest.raises(RuntimeError, match="only root can become the user 'eardrum'"):
        machine.run("eardrum", "up", "--system", uid=MEMBER)
