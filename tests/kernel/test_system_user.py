"""Who may become the user of a server for all; that root is dropped for good is a live test."""

from __future__ import annotations

import os
import pwd

import pytest

from eardrum.kernel import system_user
from eardrum.kernel.system_user import become_desk, become_system
from eardrum.terms.errors import Complaint


@pytest.fixture
def pulse(monkeypatch):
    """There is a user `pulse` of this number, and a group `pulse-access`."""

    def make(uid: int = 4711) -> None:
        entry = pwd.struct_passwd(("pulse", "x", uid, 4712, "", "/run/pulse", "/bin/false"))
        monkeypatch.setattr(system_user.pwd, "getpwnam", lambda name: entry)
        monkeypatch.setattr(system_user.grp, "getgrnam", lambda name: None)

    return make


def unknown(name: str) -> None:
    raise KeyError(name)


def test_only_root_can_become_it(pulse, monkeypatch):
    pulse()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Complaint, match="only root can become the user 'pulse'"):
        become_system()


def test_a_root_that_may_not_change_its_user_is_told(pulse, monkeypatch, tmp_path):
    def refuse(*words: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    pulse(uid=os.geteuid() or 4711)
    monkeypatch.setattr(system_user, "SYSTEM_SOCKET", str(tmp_path / "pulse/native"))
    monkeypatch.setattr(system_user, "own_directory", lambda *words: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "initgroups", refuse)
    with pytest.raises(
        Complaint, match="root cannot become the user 'pulse' here: Operation not permitted; give it CAP"
    ):
        become_system()


def test_it_is_never_root(pulse):
    pulse(uid=0)
    with pytest.raises(Complaint, match="the user 'pulse' is root"):
        become_system()


@pytest.mark.parametrize(("module", "function", "what"), [("pwd", "getpwnam", "user"), ("grp", "getgrnam", "group")])
def test_what_lacks_is_told_with_how_to_make_it(pulse, monkeypatch, module, function, what):
    pulse()
    monkeypatch.setattr(getattr(system_user, module), function, unknown)
    with pytest.raises(Complaint, match=f"no {what} 'pulse.*; make it: `{what}add --system pulse") as told:
        become_system()
    assert told.value.status == 2


def test_who_could_be_root_again_is_not_the_user_for_good(pulse, monkeypatch):
    pulse()
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    monkeypatch.setattr(os, "getresuid", lambda: (4711, 4711, 0))
    with pytest.raises(Complaint, match="only root can become the user 'pulse'"):
        become_system()


def test_a_desks_user_is_another(monkeypatch, tmp_path):
    entry = pwd.struct_passwd(("eardrum", "x", 4711, 4711, "", "/run/eardrum", "/bin/false"))
    asked = []
    monkeypatch.setattr(system_user.pwd, "getpwnam", lambda name: asked.append(name) or entry)
    monkeypatch.setattr(system_user.grp, "getgrnam", asked.append)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Complaint, match="only root can become the user 'eardrum'"):
        become_desk(tmp_path)
    assert asked == ["eardrum", "eardrum"]


def test_who_is_the_desks_user_already_has_its_directory_and_environment(monkeypatch, tmp_path):
    uid = os.geteuid() or 4711
    entry = pwd.struct_passwd(("eardrum", "x", uid, 4712, "", "/run/eardrum", "/bin/false"))
    monkeypatch.setattr(system_user.pwd, "getpwnam", lambda name: entry)
    monkeypatch.setattr(system_user.grp, "getgrnam", lambda name: None)
    made = []
    monkeypatch.setattr(system_user, "own_directory", lambda *words: made.append(words))
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setattr(os, "getresuid", lambda: (uid,) * 3)
    monkeypatch.setattr(os, "environ", {"XDG_RUNTIME_DIR": "/run/user/0", "HOME": "/root", "LANG": "C"})
    become_desk(tmp_path)
    assert made == [(tmp_path, 0o711)]
    assert os.environ == {"HOME": str(tmp_path), "USER": "eardrum", "LOGNAME": "eardrum", "LANG": "C"}
