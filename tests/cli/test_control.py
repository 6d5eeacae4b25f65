from __future__ import annotations

import socket
from pathlib import Path

import pytest

from eardrum.cli.control import Control, NoDesk, NoOutlet, Opening
from eardrum.kernel.outlet_directory import Runtime
from eardrum.terms.errors import Complaint

GAME = Opening("game", "null", None)


def test_outlets_are_opened_listed_and_closed(desk):
    with Control(desk.runtime) as control:
        outlet = control.open(GAME)
        assert outlet.directory == f"{desk.runtime}/outlets/game"
        assert outlet.socket == f"{desk.runtime}/outlets/game/native"
        assert control.outlets() == [outlet]
        control.close("game")
        assert control.outlets() == []


def test_a_held_outlet_holds_its_connection(desk):
    with Control(desk.runtime) as control:
        control.open(Opening("game", "null", None, held=True))
        assert not desk.hung_up.is_set()
    assert desk.hung_up.wait(10)


def test_no_desk(runtime):
    with pytest.raises(NoDesk, match=f"no desk is running in {runtime}; start one with `eardrum up`"):
        Control(runtime)


def test_a_desk_that_is_gone_left_its_socket(runtime):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(runtime / "control"))
    with pytest.raises(NoDesk):
        Control(runtime)


@pytest.mark.case("P62")
def test_a_path_longer_than_a_sockets_address(tmp_path):
    path = tmp_path / ("x" * 120)
    runtime = Runtime(path)
    with pytest.raises(NoDesk):
        Control(path)
    with runtime.listen_control() as listening, Control(path):
        listening.accept()[0].close()
    runtime.close()


def test_a_desk_that_cannot_be_reached():
    with pytest.raises(Complaint, match=r"cannot reach the desk in /xxx.*: File name too long"):
        Control(Path("/" + "x" * 300))


@pytest.mark.parametrize(("status", "kind"), [(400, Complaint), (404, NoOutlet), (409, Complaint), (500, Complaint)])
def test_what_the_desk_complains_of(desk, status, kind):
    desk.answers["POST"] = (status, b'{"error": "no, because", "status": 2}')
    with Control(desk.runtime) as control, pytest.raises(kind, match="no, because") as raised:
        control.open(GAME)
    assert type(raised.value) is kind
    assert raised.value.status == 2


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"outlets": 7}', b"\xff"])
def test_nonsense(desk, body):
    desk.answers["GET"] = (200, body)
    with Control(desk.runtime) as control, pytest.raises(Complaint, match="said nonsense"):
        control.outlets()


def test_a_desk_that_breaks_off(desk, monkeypatch):
    monkeypatch.setattr(desk.RequestHandlerClass, "do_GET", lambda handler: handler.connection.shutdown(2))
    with Control(desk.runtime) as control, pytest.raises(Complaint, match="lost the desk in"):
        control.outlets()


def test_a_desk_that_hangs(desk, monkeypatch):
    monkeypatch.setattr("eardrum.cli.control.PATIENCE", 0.01)
    monkeypatch.setattr(desk.RequestHandlerClass, "do_GET", lambda handler: desk.hung_up.wait(10))
    with Control(desk.runtime) as control, pytest.raises(Complaint, match="does not answer"):
        control.outlets()
    desk.hung_up.set()
