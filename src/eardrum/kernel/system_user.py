"""From root to the user of a server for the whole system, and never back."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path

from eardrum.kernel.standard_place import own_directory
from eardrum.terms.errors import Complaint
from eardrum.upstream.discovery import SYSTEM_SOCKET

USER = "pulse"
GROUP = "pulse-access"  # whose members are let in
_DIRECTORY_MODE = 0o755
_NOT_OURS = ("XDG_CONFIG_HOME", "XDG_RUNTIME_DIR")  # root's, in the environment


def become_system() -> None:
    """Be the user `pulse`, for good, with the directory and the environment of a server for all users.

    Whoever is that user already stays so. Raises Complaint.
    """
    user = _user()
    directory = Path(SYSTEM_SOCKET).parent
    if os.geteuid() == 0:
        own_directory(directory, _DIRECTORY_MODE, (user.pw_uid, user.pw_gid))
        _become(user)
    elif os.getresuid() != (user.pw_uid,) * 3:  # one of them may be root, to whom there was a way back
        raise Complaint(f"--system: only root can become the user {USER!r}; use sudo, or serve without --system")
    own_directory(directory, _DIRECTORY_MODE)
    for name in _NOT_OURS:
        os.environ.pop(name, None)
    os.environ |= {
        "PULSE_SYSTEM": "1", "PULSE_RUNTIME_PATH": str(directory), "HOME": str(directory), "USER": USER, "LOGNAME": USER
    }  # fmt: skip


def _become(user: pwd.struct_passwd) -> None:
    uid, gid = user.pw_uid, user.pw_gid
    try:
        os.initgroups(USER, gid)
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    except OSError as error:
        raise Complaint(
            f"--system: root cannot become the user {USER!r} here: {error.strerror}; give it CAP_SETUID and CAP_SETGID"
        ) from None


def _user() -> pwd.struct_passwd:
    try:
        user = pwd.getpwnam(USER)
    except KeyError:
        raise Complaint(f"--system: no user {USER!r}; make it: `useradd --system {USER}`", status=2) from None
    try:
        grp.getgrnam(GROUP)
    except KeyError:
        raise Complaint(f"--system: no group {GROUP!r}; make it: `groupadd --system {GROUP}`", status=2) from None
    if user.pw_uid == 0:
        raise Complaint(f"--system: the user {USER!r} is root; give it a number of its own", status=2)
    return user
