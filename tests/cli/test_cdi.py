"""`open --cdi` and `close`: an outlet as a device of containers."""

from __future__ import annotations

import stat

import pytest

from eardrum.containers import cdi


@pytest.fixture
def specs(tmp_path, monkeypatch):
    """Where specs are."""
    monkeypatch.setenv("EARDRUM_CDI_DIR", str(tmp_path / "etc/cdi"))
    return tmp_path / "etc/cdi"


@pytest.fixture
def web(desk, say, specs):
    """The spec of the outlet `web`, which is open."""
    result = say("open", "--cdi", "web")
    assert (result.exit_code, result.output) == (0, f"{desk.runtime}/outlets/web\n")
    return specs / "eardrum.local-outlet_web.json"


def test_open_writes_a_spec_that_everybody_can_read(desk, web, specs):
    assert [*specs.iterdir()] == [web]
    assert web.read_text() == cdi.spec("web", f"{desk.runtime}/outlets/web")
    assert stat.S_IMODE(web.stat().st_mode) == 0o644


def test_close_removes_it(say, web):
    assert say("close", "web").exit_code == 0
    assert not web.exists()


def test_the_directory_can_be_typed(desk, say, specs, tmp_path):
    say("open", "--cdi", "--cdi-dir", str(tmp_path / "mine"), "web")
    assert (tmp_path / "mine/eardrum.local-outlet_web.json").exists()
    say("close", "--cdi-dir", str(tmp_path / "mine"), "web")
    assert not list((tmp_path / "mine").iterdir())
    assert not specs.exists()


def test_without_the_word_nothing_is_written(desk, say, specs):
    say("open", "web")
    say("close", "web")
    assert not specs.exists()


def test_the_spec_of_another_desk_stays(desk, say, web):
    web.write_text(cdi.spec("web", "/elsewhere/web"))
    assert say("close", "web").exit_code == 0
    assert web.exists()


def test_an_outlet_whose_spec_cannot_be_written_is_not_opened(desk, say, specs):
    specs.parent.write_text("")
    result = say("open", "--cdi", "web")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"eardrum: {specs}/eardrum.local-outlet_web.json: Not a directory; do it as root")
    assert not desk.outlets


def test_a_spec_that_cannot_be_removed(desk, say, web):
    web.unlink()
    web.mkdir()
    result = say("close", "web")
    assert (result.exit_code, result.stderr) == (
        1, f"eardrum: {web}: Is a directory; remove it, as the outlet is closed\n",
    )  # fmt: skip


def test_a_name_that_no_device_may_have(desk, say, specs):
    result = say("open", "--cdi", "_web")
    assert (result.exit_code, result.stderr) == (
        2, "eardrum: outlet name '_web': a device's name begins and ends with a letter or a digit\n",
    )  # fmt: skip
    assert not desk.heard
