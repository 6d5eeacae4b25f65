from __future__ import annotations

import pytest

from eardrum.containers import session
from eardrum.terms.errors import Complaint

DIRECTORY = "/run/user/1000/eardrum/outlets/game"
VARIABLES = {
    "PULSE_SERVER": f"unix:{DIRECTORY}/native",
    "PULSE_CLIENTCONFIG": f"{DIRECTORY}/client.conf",
    "ALSA_CONFIG_PATH": f"/usr/share/alsa/alsa.conf:{DIRECTORY}/asound.conf",
}
SAID = [f"{name}={value}" for name, value in VARIABLES.items()]
AS_OPTIONS = [f"--env={said}" for said in SAID]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("distrobox enter game -- paplay x", "game"),
        ("distrobox enter --name game", "game"),
        ("distrobox enter -n game -T", "game"),
        ("distrobox-enter --no-tty game", "game"),
        ("/usr/bin/distrobox ephemeral --image debian", "distrobox"),
    ],
)
def test_distrobox_passes_its_own_variables_on(command, name):
    way = session.distrobox(command.split())
    assert way.suggested_name == name
    assert way.wired(DIRECTORY) == command.split()
    assert way.variables(DIRECTORY) == VARIABLES
    assert "session bus" in way.beside


def test_a_box_sees_other_directories_below_run_host():
    way = session.distrobox(["distrobox", "enter", "game"])
    assert way.variables("/tmp/outlets/game")["PULSE_SERVER"] == "unix:/run/host/tmp/outlets/game/native"


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ("toolbox run", "paplay x", "toolbox"),
        ("toolbox -y run -c game", "paplay x", "game"),
        ("toolbox --log-level run run --distro debian --container=game", "paplay -c x", "game"),
    ],
)
def test_toolbox_sets_variables_inside(before, after, name):
    before, after = before.split(), after.split()
    way = session.toolbox([*before, *after])
    assert way.suggested_name == name
    assert way.wired(DIRECTORY) == [*before, "env", *SAID, *after]
    assert "session bus" in way.beside


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ("flatpak run", "org.example.Game --env=PULSE_SERVER=", "Game"),
        ("flatpak --verbose run", "--branch stable -p --env=A=B org.example.Game//stable run", "Game"),
        ("flatpak run", "--command=sh", "flatpak"),
    ],
)
def test_flatpak_takes_the_raw_socket_away(before, after, name):
    before, after = before.split(), after.split()
    way = session.flatpak([*before, *after])
    assert way.suggested_name == name
    ours = ["--nosocket=pulseaudio", f"--filesystem={DIRECTORY}:ro", *AS_OPTIONS]
    assert way.wired(DIRECTORY) == [*before, *ours, *after]
    assert "/dev/snd" in way.beside


def test_firejail_hides_the_raw_socket():
    way = session.firejail(["firejail", "--net=none", "/usr/bin/game", "--x"])
    assert way.suggested_name == "game"
    argv = way.wired(DIRECTORY)
    assert argv[0] == "firejail"
    assert argv[-3:] == ["--net=none", "/usr/bin/game", "--x"]
    assert {"--blacklist=${RUNUSER}/pulse", f"--whitelist={DIRECTORY}", *AS_OPTIONS} <= {*argv}
    assert session.firejail(["firejail"]).suggested_name == "firejail"


@pytest.mark.parametrize(
    ("known", "command", "advice"),
    [
        (session.distrobox, "distrobox create game", "distrobox enter"),
        (session.distrobox, "distrobox", "distrobox enter"),
        (session.toolbox, "toolbox -v enter game", "toolbox run"),
        (session.flatpak, "flatpak install org.example.Game", "flatpak run"),
    ],
)
def test_a_command_that_starts_nothing(known, command, advice):
    with pytest.raises(Complaint, match=f"use `{advice}") as raised:
        known(command.split())
    assert raised.value.status == 125
