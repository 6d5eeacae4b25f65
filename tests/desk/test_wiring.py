"""What an outlet was asked to be, and how it is remembered."""

from __future__ import annotations

import stat

import pytest

from eardrum.desk.wiring import Remembered, Wiring, remember, remembered
from eardrum.kernel.outlet_directory import Access, Runtime
from eardrum.terms.errors import Complaint

TWO = [
    Wiring("radio", "file:/tmp/tune.wav", "room:hall", "0660", "daemon"),
    Wiring("melody"),
]


@pytest.fixture
def runtime(tmp_path):
    runtime = Runtime(tmp_path / "runtime")
    yield runtime
    runtime.close()


def test_what_is_remembered_reads_back(runtime):
    assert remembered(runtime) == Remembered()
    remember(runtime, TWO)
    assert remembered(runtime) == Remembered(TWO)
    remember(runtime, TWO[1:], {"hall", "attic"})
    assert remembered(runtime) == Remembered(TWO[1:], ["attic", "hall"])


def test_only_its_owner_reads_it_and_nothing_else_is_left(runtime):
    remember(runtime, TWO)
    assert stat.S_IMODE((runtime.path / "outlets.json").stat().st_mode) == 0o600
    assert sorted(path.name for path in runtime.path.iterdir()) == ["lock", "outlets", "outlets.json"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"rooms": ["/"]}',
        '{"outlets": [{}]}',
        '{"outlets": [{"name": "/"}]}',
        '{"outlets": [{"name": "a", "x": 1}]}',
    ],
)
def test_a_damaged_list_is_complained_about(runtime, text):
    (runtime.path / "outlets.json").write_text(text)
    with pytest.raises(Complaint, match=r"outlets\.json: .*; repair or remove it"):
        remembered(runtime)


def test_a_link_is_not_followed(runtime, tmp_path):
    (tmp_path / "elsewhere.json").write_text('{"outlets": []}')
    (runtime.path / "outlets.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(Complaint, match=r"outlets\.json"):
        remembered(runtime)


def test_access_follows_from_mode_and_group():
    assert Wiring("a").access() == Access(0o666, None)
    assert Wiring("a", mode="0660", group="daemon").access() == Access(0o660, "daemon")


@pytest.mark.parametrize("mode", ["0777", "0000", "666", "rw", "", "04666"])
def test_other_modes_are_refused(mode):
    with pytest.raises(Complaint, match="use 0666, 0660, 0600"):
        Wiring("a", mode=mode).checked()
