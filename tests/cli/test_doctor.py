from __future__ import annotations

import contextlib

import pytest

from eardrum.cli import doctor
from eardrum.cli.control import Level, Levels, Outlet, Wire
from eardrum.containers.examination import Finding
from eardrum.kernel.confinement import ALL, Layer

CLOSED = Outlet("web", "host", None, "/nowhere", "/nowhere/native")


@pytest.fixture
def told(monkeypatch, tmp_path):
    """What the doctor says of an outlet as the desk tells of it."""

    def tell(outlet: Outlet) -> dict[str, str]:
        class Desk:
            def __init__(self, runtime: object) -> None:
                pass

            def outlets(self) -> list[Outlet]:
                return [outlet]

        monkeypatch.setattr(doctor, "Control", lambda runtime: contextlib.nullcontext(Desk(runtime)))
        findings = [*doctor._outlet(outlet, 1.0), *doctor._confinement(tmp_path, outlet.name)]
        return {finding.code: finding.what for finding in findings}

    return tell


def test_a_socket_that_is_gone(told):
    assert set(told(CLOSED)) == {"socket-gone"}


def test_a_link_in_the_sockets_place_is_not_followed(told, tmp_path):
    (tmp_path / "native").symlink_to("/run/elsewhere")
    assert set(told(Outlet("web", "host", None, str(tmp_path), str(tmp_path / "native")))) == {"socket-replaced"}


def test_layers_that_the_kernel_does_not_give_are_named(told):
    layers = [name for name in Layer(ALL).names if name != "landlock"]
    outlet = Outlet("web", "host", None, "/nowhere", "/nowhere/native", confinement=layers)
    assert "without landlock," in told(outlet)["confinement"]


def test_what_the_desk_says_of_a_wire_is_told_with_what_mends_it(told):
    wires = {"output": Wire("host", "refused"), "input": None}
    outlet = Outlet("web", "host", None, "/nowhere", "/nowhere/native", note="unix:/x: refused us: set X", wires=wires)
    assert told(outlet)["wire-refused"] == "unix:/x: refused us: set X"
    without = Outlet("web", "host", None, "/nowhere", "/nowhere/native", wires=wires)
    assert told(without)["wire-refused"] == "output is silent: host refuses it"


def test_a_microphone_that_the_person_has_muted(told):
    levels = Levels(input=Level(muted=True))
    outlet = Outlet("web", "host", "host", "/nowhere", "/nowhere/native", levels=levels)
    assert told(outlet)["muted"] == "its input is muted by you"


def test_each_finding_is_a_line_and_the_next_says_what_mends_it():
    lines = doctor._lines(
        [doctor.Patient("outlet web", []), doctor.Patient("process 1 (x)", [Finding("code", "wh\x1bat", "mend")])]
    )
    assert list(lines)[:2] == ["outlet web: well", "process 1 (x):"]
    assert len(list(doctor._lines([doctor.Patient("x", [Finding("code", "what", "mend")])]))) == 3


def test_nothing_from_a_container_reaches_the_terminal_as_it_is():
    lines = doctor._lines([doctor.Patient("process 1 (\x1b]0;x)", [Finding("code", "wh\x1b[2Jat", "me\x07nd")])])
    assert not [line for line in lines if "\x1b]" in line or "\x1b[2J" in line or "\x07" in line]
