"""The commands that are called like PulseAudio's: run as a script runs them, against a real server."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eardrum.cli.shims import SHIMS, install
from eardrum.terms.errors import Complaint

Sh = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def place() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="eardrum-"))
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def sh(place: Path) -> Iterator[Sh]:
    """Runs lines of a start-up script in an image of its own: no session, a fresh home."""
    install(place / "bin")
    environment = {"PATH": f"{place / 'bin'}:{os.environ['PATH']}", "HOME": str(place), "TMPDIR": str(place)}

    def run(script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, timeout=60)

    yield run
    run("pulseaudio --kill")


@pytest.mark.parametrize("where", ["unset X", "export XDG_RUNTIME_DIR=$HOME", "export PULSE_RUNTIME_PATH=$HOME/pulse"])
def test_a_script_starts_loads_and_ends_it(sh, where):
    script = f"""{where}
    set -e
    pulseaudio --check && exit 1
    pulseaudio -D --exit-idle-time=-1 --disallow-exit --log-target=stderr -vvv -n \\
        --load="module-null-sink sink_name=speaker sink_properties=device.description=Speaker"
    pulseaudio --start
    pulseaudio --check
    pacmd load-module module-null-sink sink_name=mic
    pacmd set-default-sink mic
    pacmd update-sink-proplist mic device.description=Mic >&2
    pacmd unload-module module-suspend-on-idle >&2
    pacmd list-sinks | grep -e '^  . index' -e name
    pulseaudio -k
    while pulseaudio --check; do sleep 0.1; done
    """
    done = sh(script)
    assert (done.returncode, len(done.stderr.splitlines())) == (0, 2)
    assert [line.split()[-1] for line in done.stdout.splitlines()[1::2]] == ["<auto_null>", "<speaker>", "<mic>"]
    assert done.stdout.splitlines()[4].split()[0] == "*"


def test_a_script_file_is_done(sh, place):
    (place / "setup.pa").write_text(".nofail\n# two\nload-module module-null-sink sink_name=a\nset-default-sink a\n")
    done = sh("pulseaudio --daemonize -n -F $HOME/setup.pa && pacmd list-sinks")
    assert done.returncode == 0, done.stderr
    assert "\tname: <a>\n" in done.stdout


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("pulseaudio --start; pacmd move-sink-input 7 auto_null", "NOENTITY"),
        ("pulseaudio --start; pacmd move-source-output some auto_null", "no index"),
        ("pulseaudio --start; pacmd update-source-proplist nobody device.description=x", "NOENTITY"),
        ("pulseaudio --dump-conf", "--dump-conf"),
        ("pulseaudio --start; pacmd dance", "dance"),
        ("pulseaudio --start; pacmd set-default-sink", "set-default-sink"),
        ("pulseaudio --start; pacmd load-module module-rain", "MODINITFAILED"),
        ("pulseaudio -k", "no such socket"),
    ],
)
def test_what_is_not_known_is_an_error_that_names_it(sh, words, named):
    done = sh(words)
    assert done.returncode
    assert named in done.stderr.splitlines()[-1]


def test_commands_of_others_are_not_written_over(tmp_path):
    (tmp_path / "pacmd").write_text("#!/bin/sh\n")
    with pytest.raises(Complaint, match="another command is there"):
        install(tmp_path)
    assert (tmp_path / "pacmd").read_text() == "#!/bin/sh\n"


def test_they_are_written_anew(tmp_path):
    install(tmp_path)
    install(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(SHIMS)
