"""The container device interface: an outlet as a device, `--device eardrum.local/outlet=NAME`."""

from __future__ import annotations

import json
import re
from typing import Any

from eardrum.containers import client_kit

VERSION = "0.3.0"  # all that is needed, and podman 4.3 takes none above 0.5.0 (decision 0041)
KIND = "eardrum.local/outlet"
MOUNT_OPTIONS = ("ro", "nosuid", "nodev", "noexec", "bind")
_DEVICE_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")


def valid_name(name: str) -> bool:
    """True if a device may be called as this outlet is."""
    return _DEVICE_NAME.fullmatch(name) is not None


def file_name(name: str) -> str:
    """What an outlet's spec is called."""
    return f"eardrum.local-outlet_{name}.json"


def spec(name: str, directory: str) -> str:
    """The spec by which engines mount the outlet of `directory`."""
    mount = {"hostPath": directory, "containerPath": client_kit.DIRECTORY, "options": MOUNT_OPTIONS}
    edits = {"env": client_kit.assignments(), "mounts": [mount]}
    devices = [{"name": name, "containerEdits": edits}]
    return json.dumps({"cdiVersion": VERSION, "kind": KIND, "devices": devices}, indent=2)


def is_of(text: bytes, directory: str) -> bool:
    """True if this is the spec of the outlet of `directory`, in this or another version."""
    try:
        read: Any = json.loads(text)
        mounts = [mount for device in read["devices"] for mount in device["containerEdits"]["mounts"]]
        return read["kind"] == KIND and [mount["hostPath"] for mount in mounts] == [directory]
    except (ValueError, LookupError, TypeError):
        return False
