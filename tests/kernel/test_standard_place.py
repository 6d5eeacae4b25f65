"""The directories in which clients look: made, kept, refused. That PulseAudio makes the same is a live test."""

from __future__ import annotations

import dataclasses
import os
import stat
from pathlib import Path

import pytest

from eardrum.kernel.machine import surroundings
from eardrum.kernel.standard_place import own_directory, user_directory
from eardrum.terms.errors import Complaint
from eardrum.upstream.discovery import runtime_directory, runtime_link


@pytest.fixture
def around(tmp_path):
    """Surroundings with these variables, a fresh home and a fresh directory for what is temporary."""
    (tmp_path / "tmp").mkdir()

    def make(**environment):
        variables = {"TMPDIR": str(tmp_path / "tmp"), **environment}
        return dataclasses.replace(surroundings(), environment=variables, home=str(tmp_path / "home"))

    return make


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_the_session_has_the_directory(around, tmp_path):
    assert user_directory(around(XDG_RUNTIME_DIR=str(tmp_path / "run"))) == tmp_path / "run/pulse"
    assert (mode(tmp_path / "run"), mode(tmp_path / "run/pulse")) == (0o700, 0o700)


def test_a_variable_names_it(around, tmp_path):
    found = user_directory(around(XDG_RUNTIME_DIR="/run/x", PULSE_RUNTIME_PATH=str(tmp_path / "a/b")))
    assert found == tmp_path / "a/b"
    assert mode(found) == 0o700


def test_one_that_others_may_read_is_narrowed(around, tmp_path):
    place = tmp_path / "wide"
    place.mkdir(mode=0o755)
    assert user_directory(around(PULSE_RUNTIME_PATH=str(place))) == place
    assert mode(place) == 0o700
    user_directory(around(PULSE_RUNTIME_PATH=str(place), PULSE_SYSTEM="1"))
    assert mode(place) == 0o755


def test_without_a_session_a_link_leads_to_it(around, tmp_path):
    here = around()
    place = user_directory(here)
    assert place.parent == tmp_path / "tmp"
    assert place.name.startswith("pulse-")
    assert len(place.name) == len("pulse-") + 12
    assert mode(place) == 0o700
    assert Path(runtime_link(here)).readlink() == place
    assert user_directory(here) == place
    assert runtime_directory(here)[2] == ""


@pytest.mark.parametrize("spoil", [Path.rmdir, lambda place: place.chmod(0o755)])
def test_a_link_to_no_good_directory_is_replaced(around, spoil):
    here = around()
    first = user_directory(here)
    spoil(first)
    second = user_directory(here)
    assert second != first
    assert Path(runtime_link(here)).readlink() == second
    assert [path.name for path in Path(runtime_link(here)).parent.iterdir()] == [Path(runtime_link(here)).name]


def test_a_link_that_was_left_half_made_is_no_hindrance(around):
    here = around()
    link = Path(runtime_link(here))
    link.parent.mkdir(parents=True)
    link.with_name(f"{link.name}.tmp").symlink_to("/nowhere")
    place = user_directory(here)
    assert link.readlink() == place
    assert [*link.parent.iterdir()] == [link]


def test_what_is_in_the_way_of_the_link_stays(around, tmp_path):
    here = around()
    link = Path(runtime_link(here))
    link.mkdir(parents=True)
    with pytest.raises(Complaint, match=f"{link}: something that is no link lies there"):
        user_directory(here)
    assert link.is_dir()
    assert [*(tmp_path / "tmp").iterdir()] == []


def test_a_link_is_no_directory(around, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(Complaint, match=f"{tmp_path}/link: a link or no directory"):
        user_directory(around(PULSE_RUNTIME_PATH=str(tmp_path / "link")))


def test_where_others_may_write_is_no_place(around, tmp_path):
    place = tmp_path / "open"
    place.mkdir()
    place.chmod(0o1777)
    with pytest.raises(Complaint, match=r"others may write to it \(mode 1777\)"):
        user_directory(around(PULSE_RUNTIME_PATH=str(place)))
    assert mode(place) == 0o1777


def test_what_belongs_to_another_is_refused(around, tmp_path, monkeypatch):
    place = tmp_path / "run"
    place.mkdir(mode=0o700)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(Complaint, match=f"XDG_RUNTIME_DIR {place}: belongs to uid {owner}"):
        user_directory(around(XDG_RUNTIME_DIR=str(place)))
    with pytest.raises(Complaint, match=f"{place}: belongs to uid {owner}"):
        own_directory(place)


def test_a_home_of_another_is_no_place_for_the_link(around, tmp_path):
    (tmp_path / "home").mkdir()
    os.chown(tmp_path / "home", 4711, 4711)
    with pytest.raises(Complaint, match="your home belongs to uid 4711; set XDG_RUNTIME_DIR"):
        user_directory(around())


@pytest.mark.parametrize("name", ["PULSE_RUNTIME_PATH", "XDG_RUNTIME_DIR"])
def test_an_empty_variable_is_no_place(around, name):
    with pytest.raises(Complaint, match=f"{name} is set but empty"):
        user_directory(around(**{name: ""}))


def test_what_cannot_be_made_is_told(around):
    with pytest.raises(Complaint, match="/dev/null/pulse: a link or no directory is in the way"):
        user_directory(around(PULSE_RUNTIME_PATH="/dev/null/pulse"))
    with pytest.raises(Complaint, match="/proc/nothing: No such file or directory"):
        user_directory(around(PULSE_RUNTIME_PATH="/proc/nothing"))
    with pytest.raises(Complaint, match=r"/proc/pulse-.*; set XDG_RUNTIME_DIR"):
        user_directory(around(TMPDIR="/proc"))


@pytest.mark.parametrize("name", ["XDG_RUNTIME_DIR", "PULSE_RUNTIME_PATH", "HOME"])
def test_what_cannot_even_be_looked_at_is_told(around, name):
    nowhere = "/" + "n" * 300
    here = around(**{name: nowhere})
    with pytest.raises(Complaint, match=rf"^{nowhere}\S*: .*too long"):
        user_directory(dataclasses.replace(here, home=nowhere))
