"""An outlet in the words of each engine: options, or lines of its configuration."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable

from eardrum.containers import bubblewrap, cdi, client_kit, lxc, nspawn, oci, session

# Incus starts an init of the container's own, which may mount over /run.
OUT_OF_THE_WAY = "/opt/sound"


def _options(flags: Callable[[str], list[str]]) -> Callable[[str, str], str]:
    return lambda name, directory: shlex.join(flags(directory))


def _compose(name: str, directory: str) -> str:
    variables = "".join(f"      {key}: {value}\n" for key, value in client_kit.variables().items())
    return (
        f"services:\n  {name}:\n    environment:\n{variables}    volumes:\n"
        f"      - type: bind\n        source: {json.dumps(directory.replace('$', '$$'))}\n"
        f"        target: {client_kit.DIRECTORY}\n        read_only: true\n        bind: {{create_host_path: false}}"
    )


def _quadlet(name: str, directory: str) -> str:
    variables = "".join(f"\nEnvironment={said}" for said in client_kit.assignments())
    return f"[Container]\nVolume={directory.replace('%', '%%')}:{client_kit.DIRECTORY}:ro{variables}"


def _devcontainer(name: str, directory: str) -> str:
    mount = f"type=bind,source={directory},target={client_kit.DIRECTORY},readonly"
    return json.dumps({"mounts": [mount], "containerEnv": client_kit.variables()}, indent=2)


def _lxc(name: str, directory: str) -> str:
    return "\n".join(lxc.lines(directory))


def _incus(name: str, directory: str) -> str:
    words = ["incus", "config", "device", "add", name, "sound", "disk"]
    device = [f"source={directory}", f"path={OUT_OF_THE_WAY}", "readonly=true"]
    variables = [f"environment.{said}" for said in client_kit.assignments(OUT_OF_THE_WAY)]
    return f"{shlex.join(words + device)}\n{shlex.join(['incus', 'config', 'set', name, *variables])}"


def _distrobox(name: str, directory: str) -> str:
    return " ".join(f"{key}={shlex.quote(value)}" for key, value in session.distrobox_variables(directory).items())


# how an engine is called on the command line -> the text for an outlet's name and directory
TEXTS: dict[str, Callable[[str, str], str]] = {
    "podman": _options(oci.flags),
    "docker": _options(oci.flags),
    "nerdctl": _options(oci.flags),
    "compose": _compose,
    "quadlet": _quadlet,
    "devcontainer": _devcontainer,
    "cdi": cdi.spec,
    "bwrap": _options(bubblewrap.flags),
    "nspawn": _options(nspawn.flags),
    "lxc": _lxc,
    "incus": _incus,
    "distrobox": _distrobox,
    "toolbox": _options(session.toolbox_words),
    "flatpak": _options(session.flatpak_flags),
    "firejail": _options(session.firejail_flags),
}
# what else of the host's sound a container of this engine may reach, for people
BESIDE = {
    "distrobox": session.DISTROBOX_BESIDE,
    "toolbox": session.TOOLBOX_BESIDE,
    "flatpak": session.FLATPAK_BESIDE,
    "firejail": session.FIREJAIL_BESIDE,
}
