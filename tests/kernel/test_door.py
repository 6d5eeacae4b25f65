"""Groups and cookies by their names: what is found, made, and refused."""

from __future__ import annotations

import dataclasses
import os
import stat
from pathlib import Path

import pytest

from eardrum.kernel.door import door, group_number, kept_cookie
from eardrum.kernel.machine import surroundings
from eardrum.server.admission import USUAL_COOKIE, Admission, Door
from eardrum.terms.errors import Complaint

COOKIE = bytes(range(256))


@pytest.fixture
def around(tmp_path):
    return dataclasses.replace(surroundings(), environment={}, home=str(tmp_path))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_by_default_nobody_else_is_let_in(around):
    assert door(Admission(), around) == Door(os.geteuid())


def test_a_group_has_a_name_or_a_number(around):
    assert door(Admission(group="root"), around).group == 0
    assert group_number("4711") == 4711
    with pytest.raises(Complaint, match="group 'wombats': no such group"):
        door(Admission(group="wombats"), around)
    with pytest.raises(Complaint, match="no such group"):
        group_number("9" * 40)
    for number in (2**32 - 1, 2**33):  # the first means none to the kernel
        with pytest.raises(Complaint, match="no such group"):
            group_number(str(number))


def test_a_cookie_is_made_for_its_owner_only(around, tmp_path):
    made = door(Admission(cookie=str(tmp_path / "tune")), around).cookie
    assert made == (tmp_path / "tune").read_bytes()
    assert len(made) == 256
    assert made.strip(b"\0")
    assert mode(tmp_path / "tune") == 0o600
    assert door(Admission(cookie=str(tmp_path / "tune")), around).cookie == made


def test_a_cookie_without_a_directory_is_in_the_users_configuration(around, tmp_path):
    made = door(Admission(cookie=USUAL_COOKIE), around).cookie
    assert made == (tmp_path / ".config/pulse/cookie").read_bytes()
    assert mode(tmp_path / ".config/pulse") == 0o700
    door(Admission(cookie="other"), around)
    assert (tmp_path / ".config/pulse/other").exists()


def test_an_old_cookie_counts_where_there_is_no_new_one(around, tmp_path):
    (tmp_path / ".pulse-cookie").write_bytes(COOKIE)
    assert door(Admission(cookie=USUAL_COOKIE), around).cookie == COOKIE
    assert not (tmp_path / ".config").exists()


def test_a_cookie_that_one_may_only_read_is_enough(tmp_path, monkeypatch):
    path = tmp_path / "tune"
    path.write_bytes(COOKIE + b"and more")
    really_open = os.open

    def read_only(path, flags, *mode, **options):
        if flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied")
        return really_open(path, flags, *mode, **options)

    monkeypatch.setattr(os, "open", read_only)
    assert kept_cookie(path) == COOKIE


@pytest.mark.parametrize("nbytes", [1, 255])
def test_a_short_cookie_is_told_and_left_alone(tmp_path, nbytes):
    path = tmp_path / "tune"
    path.write_bytes(bytes(nbytes))
    with pytest.raises(Complaint, match=f"{path}: holds {nbytes} bytes, a cookie has 256; remove it"):
        kept_cookie(path)
    assert path.read_bytes() == bytes(nbytes)


def test_what_is_no_file_is_no_cookie(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for path, why in [(tmp_path / "fifo", "no file"), (tmp_path, "directory"), (tmp_path / "no/tune", "No such file")]:
        with pytest.raises(Complaint, match=f"{path}: .*{why}"):
            kept_cookie(path)


def test_without_the_usual_cookie_it_goes_too(around, tmp_path):
    (tmp_path / ".config").write_text("in the way")
    lacks: list[Complaint] = []
    assert door(Admission(group="0", cookie=USUAL_COOKIE), around, lacks.append) == Door(os.geteuid(), group=0)
    assert "no directory is in the way" in str(*lacks)
    with pytest.raises(Complaint, match="in the way"):
        door(Admission(cookie="other"), around)


def test_who_lets_everybody_in_needs_nothing_else(around, tmp_path):
    assert door(Admission(anonymous=True, group="wombats", cookie="x"), around) == Door(os.geteuid(), anonymous=True)
    assert [*tmp_path.iterdir()] == []
