"""From root to the user of a server or a desk for the whole system, and never back."""

from __future__ import annotations

import grp
import itertools
import os
import pwd
from pathlib import Path

from eardrum.kernel.confinement import privileges
from eardrum.kernel.confinement.libc import call
from eardrum.kernel.outlet_directory import SHARED_MODE
from eardrum.kernel.standard_place import own_directory
from eardrum.terms.errors import Complaint
from eardrum.upstream.discovery import SYSTEM_SOCKET

USER = "pulse"
GROUP = "pulse-access"  # whose members are let in
DESK = "eardrum"  # the desk's user, and the group whose members may give it orders
_DIRECTORY_MODE = 0o755
_NOT_OURS = ("XDG_CONFIG_HOME", "XDG_RUNTIME_DIR")  # root's, in the environment

# <linux/prctl.h>
_PR_CAPBSET_READ, _PR_CAPBSET_DROP = 23, 24
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4


def become_system() -> None:
    """Be the user `pulse`, for good, with the directory and the environment of a server for all users.

    Whoever is that user already stays so. Raises Complaint.
    """
    directory = Path(SYSTEM_SOCKET).parent
    _become(USER, GROUP, directory, _DIRECTORY_MODE)
    os.environ |= {"PULSE_SYSTEM": "1", "PULSE_RUNTIME_PATH": str(directory)}


def become_desk(runtime: Path) -> None:
    """Be the user `eardrum`, for good, with this runtime directory. Whoever is that user already stays so.

    Raises Complaint.
    """
    _become(DESK, DESK, runtime, SHARED_MODE)


def _become(name: str, group: str, directory: Path, mode: int) -> None:
    user = _user(name, group)
    if os.geteuid() == 0:
        own_directory(directory, mode, (user.pw_uid, user.pw_gid))
        drop_root(user)
    elif os.getresuid() != (user.pw_uid,) * 3:  # one of them may be root, to whom there was a way back
        raise Complaint(f"--system: only root can become the user {name!r}; use sudo, or leave --system away")
    own_directory(directory, mode)
    for variable in _NOT_OURS:
        os.environ.pop(variable, None)
    os.environ |= {"HOME": str(directory), "USER": name, "LOGNAME": name}


def drop_root(user: pwd.struct_passwd) -> None:
    """Be this user with its groups: no capability is left, and nothing that is run can give one. Raises Complaint."""
    uid, gid = user.pw_uid, user.pw_gid
    try:
        os.initgroups(user.pw_name, gid)
        os.setresgid(gid, gid, gid)
        _empty_bounding_set()
        os.setresuid(uid, uid, uid)
        call("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
        privileges.drop_capabilities()
        privileges.gain_nothing()
    except OSError as error:
        raise Complaint(
            f"--system: root cannot become the user {user.pw_name!r} here: {error.strerror};"
            " give it CAP_SETUID, CAP_SETGID and CAP_SETPCAP"
        ) from None


def _empty_bounding_set() -> None:
    for capability in itertools.count():
        try:
            there = call("prctl", _PR_CAPBSET_READ, capability, 0, 0, 0)
        except OSError:  # past the last one
            return
        if there:
            call("prctl", _PR_CAPBSET_DROP, capability, 0, 0, 0)


def _user(name: str, group: str) -> pwd.struct_passwd:
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        raise Complaint(f"--system: no user {name!r}; make it: `useradd --system {name}`", status=2) from None
    try:
        grp.getgrnam(group)
    except KeyError:
        raise Complaint(f"--system: no group {group!r}; make it: `groupadd --system {group}`", status=2) from None
    if user.pw_uid == 0:
        raise Complaint(f"--system: the user {name!r} is root; give it a number of its own", status=2)
    return user
