from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from eardrum.testing.ordinary_user import EARDRUM, UID, OrdinaryUser

pytestmark = pytest.mark.live


@pytest.fixture
def somebody():
    with tempfile.TemporaryDirectory(prefix="eardrum-open-") as directory:
        user = OrdinaryUser(Path(directory))
        user.directory.chmod(0o755)
        yield user
        user.close()


def test_has_a_name_a_home_and_a_runtime_directory(somebody):
    done = somebody.run(
        "sh", "-c", "id -u; id -un; id -G; cd; pwd; stat -c '%u %a' $XDG_RUNTIME_DIR; grep $(id -un) /etc/subuid"
    )
    assert done.stdout.split("\n")[:-1] == [
        f"{UID}", "somebody", f"{UID}", str(somebody.directory), f"{UID} 700", "somebody:300000:65536",
    ], done.stderr  # fmt: skip


def test_has_eardrum(somebody):
    done = somebody.run(*EARDRUM, "--version")
    assert done.stdout.startswith("eardrum "), done.stderr
