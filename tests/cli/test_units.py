"""The systemd units that `up --install` writes. That they work is a live test."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from eardrum.cli import units

ADVICE = """\
now type, for a desk that is there from now on:
  {} daemon-reload && {} enable --now eardrum.service
or the same with eardrum.socket, for one that starts when it gets its first order
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    """The command that was typed."""
    script = tmp_path / "bin/eardrum"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(script), "up", "--install"])
    return script


@pytest.fixture
def systemctl(tmp_path, monkeypatch):
    """Lines of what systemctl was told."""
    said = tmp_path / "said"
    said.touch()
    program = tmp_path / "path/systemctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$*" >> {said}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return lambda: said.read_text().splitlines()


@pytest.fixture
def place(tmp_path, monkeypatch, script, systemctl):
    """Where the units of the user are."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(units, "namespaces_allowed", lambda: True)
    return tmp_path / "config/systemd/user"


@pytest.fixture
def machine(tmp_path, monkeypatch, script, systemctl):
    """Where the units of the machine are; who types is root."""
    monkeypatch.setattr(units, "SYSTEM", tmp_path / "system")
    monkeypatch.setattr(units, "SYSUSERS", tmp_path / "sysusers.d")
    monkeypatch.setattr(units, "_HIDDEN", ())
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path / "system"


def names(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


def test_the_users_units_start_the_command_that_was_typed(say, place, script, systemctl):
    done = say("up", "--install")
    assert done.exit_code == 0
    wrote = "".join(f"wrote {place / name}\n" for name in ("eardrum.service", "eardrum.socket"))
    assert done.stdout == wrote + ADVICE.format("systemctl --user", "systemctl --user")
    assert names(place) == ["eardrum.service", "eardrum.socket"]
    service = (place / "eardrum.service").read_text()
    assert f"\nExecStart={script} up\n" in service
    assert "/usr/bin/eardrum" not in service
    assert stat.S_IMODE((place / "eardrum.service").stat().st_mode) & 0o444
    assert systemctl() == []


def test_started_as_a_module_it_is_one_in_the_unit(place, say, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/somewhere/eardrum/__main__.py", "up", "--install"])
    assert say("up", "--install").exit_code == 0
    assert f"\nExecStart={sys.executable} -P -m eardrum up\n" in (place / "eardrum.service").read_text()


def test_a_path_is_quoted_as_systemd_reads_it(place, say, script, monkeypatch):
    directory = script.parent.with_name('50% "odd"')
    script.parent.rename(directory)
    monkeypatch.setattr(sys, "argv", [str(directory / "eardrum")])
    assert say("up", "--install").exit_code == 0
    line = f'ExecStart="{directory.parent}/50%% \\"odd\\"/eardrum" up\n'
    assert line in (place / "eardrum.service").read_text()


def test_units_that_were_not_touched_are_written_anew(place, say, script):
    say("up", "--install")
    before = (place / "eardrum.service").read_text()
    (place / "eardrum.service").write_text(before)
    assert say("up", "--install").exit_code == 0


def test_a_unit_that_was_changed_is_left(place, say):
    say("up", "--install")
    with open(place / "eardrum.socket", "a") as file:
        file.write("# mine\n")
    before = (place / "eardrum.service").stat().st_mtime_ns
    for option in ("--install", "--uninstall"):
        done = say("up", option)
        assert done.exit_code == 1
        assert done.stderr.startswith(f"eardrum: {place}/eardrum.socket: was not written by `eardrum up --install`, or")
    assert (place / "eardrum.socket").read_text().endswith("# mine\n")
    assert (place / "eardrum.service").stat().st_mtime_ns == before


def test_a_unit_of_somebody_else_is_left(place, say):
    place.mkdir(parents=True)
    (place / "eardrum.service").write_text("[Service]\nExecStart=/bin/mine\n")
    assert say("up", "--install").exit_code == 1
    assert names(place) == ["eardrum.service"]


def test_where_users_may_make_no_namespaces_the_unit_makes_none(place, say, monkeypatch):
    monkeypatch.setattr(units, "namespaces_allowed", lambda: False)
    assert say("up", "--install").exit_code == 0
    assert names(place) == ["eardrum.service", "eardrum.service.d/without-namespaces.conf", "eardrum.socket"]
    assert say("up", "--uninstall").exit_code == 0
    assert names(place) == []


def test_uninstalled_the_desk_is_ended_and_nothing_is_left(place, say, systemctl):
    say("up", "--install")
    done = say("up", "--uninstall")
    assert done.exit_code == 0
    assert done.stdout == "".join(f"removed {place / name}\n" for name in ("eardrum.service", "eardrum.socket"))
    assert systemctl() == ["--user disable --now eardrum.service eardrum.socket", "--user daemon-reload"]
    assert names(place) == []
    again = say("up", "--uninstall")
    assert again.exit_code == 1
    assert "no units of Eardrum are there" in again.stderr


def test_without_systemd_they_are_removed_all_the_same(place, say, monkeypatch):
    say("up", "--install")
    monkeypatch.setenv("PATH", "/nowhere")
    assert say("up", "--uninstall").exit_code == 0
    assert names(place) == []


def test_the_machines_units_come_with_a_user(machine, say, script, systemctl):
    done = say("up", "--system", "--install")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.endswith(ADVICE.format("systemd-sysusers && systemctl", "systemctl"))
    assert f"\nExecStart={script} up --system\n" in (machine / "eardrum.service").read_text()
    assert "\nu eardrum " in (machine.parent / "sysusers.d/eardrum-user.conf").read_text()
    assert say("up", "--system", "--uninstall").exit_code == 0
    assert systemctl() == ["disable --now eardrum.service eardrum.socket", "daemon-reload"]
    assert [*machine.iterdir(), *(machine.parent / "sysusers.d").iterdir()] == []


def test_a_command_that_the_machines_unit_cannot_see_is_refused(machine, say, script, monkeypatch):
    monkeypatch.setattr(units, "_HIDDEN", (script.parents[1],))
    done = say("up", "--system", "--install")
    assert done.exit_code == 1
    assert f"{script}: the system's unit sees nothing in {script.parents[1]}" in done.stderr
    assert not machine.exists()


@pytest.mark.parametrize("option", ["--install", "--uninstall"])
def test_only_root_may_write_the_machines_units(machine, say, monkeypatch, option):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    done = say("up", "--system", option)
    assert done.exit_code == 1
    assert f"--system {option}: only root can" in done.stderr
    assert not machine.exists()


@pytest.mark.parametrize(
    "more", [["--uninstall"], ["--upstream", "none"], ["--config", "/x"], ["--runtime-dir", "/x"], ["--check"]]
)
def test_what_a_unit_would_not_do_is_not_taken(place, say, more):
    done = say("up", "--install", *more)
    assert done.exit_code == 2
    assert "--install and --uninstall stand alone" in done.stderr
    assert not place.exists()


def test_a_directory_that_cannot_be_made_is_named(place, say, tmp_path):
    (tmp_path / "config").touch()
    done = say("up", "--install")
    assert done.exit_code == 1
    assert f"eardrum: {place}" in done.stderr


def test_whether_users_may_make_namespaces_is_tried(monkeypatch, tmp_path):
    program = tmp_path / "unshare"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not units.namespaces_allowed()
    for status in (1, 0):
        program.write_text(f"#!/bin/sh\nexit {status}\n")
        program.chmod(0o755)
        assert units.namespaces_allowed() == (status == 0)
