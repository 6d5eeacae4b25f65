"""What a process may become, as the kernel tells of it."""

import os
from pathlib import Path

from eardrum.kernel.confinement import privileges


def status() -> dict[str, str]:
    lines = Path("/proc/self/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_nothing_is_gained(in_a_child):
    def look():
        privileges.gain_nothing()
        return status()["NoNewPrivs"]

    assert in_a_child(look) == "1"


def test_no_other_process_of_the_user_looks_in(in_a_child):
    def look():
        privileges.hide()
        return Path("/proc/self/fd").stat().st_uid

    assert in_a_child(look) == 0  # root's, whoever it runs as


def test_root_is_a_user_like_any_other(in_a_child):
    def look():
        privileges.drop_capabilities()
        said = status()
        return [int(said[each], 16) for each in ("CapInh", "CapPrm", "CapEff", "CapAmb")]

    assert in_a_child(look) == [0, 0, 0, 0]


def test_root_that_gave_up_cannot_read_what_is_not_its_own(in_a_child, tmp_path):
    """A mode of 000 stops only those without capabilities."""
    file = tmp_path / "file"
    file.touch(0)

    def read():
        privileges.drop_capabilities()
        return os.access(file, os.R_OK)

    assert in_a_child(read) is False
