"""For `open` and `close`: an outlet's spec in the directory where engines look for devices."""

from __future__ import annotations

from pathlib import Path

import click

from eardrum.containers import cdi
from eardrum.terms.errors import Complaint

# Specs here are gone after a boot, as outlets in /run are.
DIRECTORY = Path("/var/run/cdi")
OWN = "do it as root, or choose a --cdi-dir that the engine is told of (`podman --cdi-spec-dir`)"

directory = click.option(
    "--cdi-dir",
    envvar="EARDRUM_CDI_DIR",
    metavar="DIR",
    default=DIRECTORY,
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where the specs of devices are.",
)


def check(name: str) -> None:
    """Raises Complaint if no device can be called so."""
    if not cdi.valid_name(name):
        raise Complaint(f"outlet name {name!r}: a device's name begins and ends with a letter or a digit", status=2)


def write(directory: Path, name: str, outlet: str, runtime: Path) -> None:
    """Have engines know the outlet of this name and directory. Raises Complaint, also for a directory that is not this
    outlet's in `runtime`: the desk may be another user's, and what is written here root's.
    """
    if Path(outlet) != runtime / "outlets" / name:
        raise Complaint(f"the desk in {runtime} says that outlet {name} is {outlet}; no device is made of that")
    path = directory / cdi.file_name(name)
    fresh = path.with_suffix(".new")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        fresh.write_text(cdi.spec(name, outlet))
        fresh.chmod(0o644)
        fresh.replace(path)
    except OSError as error:
        raise Complaint(f"{path}: {error.strerror}; {OWN}") from None


def remove(directory: Path, name: str, outlet: str) -> None:
    """Take the spec of this outlet away, if there is one. Raises Complaint."""
    path = directory / cdi.file_name(name)
    try:
        if cdi.is_of(path.read_bytes(), outlet):
            path.unlink()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise Complaint(f"{path}: {error.strerror}; remove it, as the outlet is closed") from None
