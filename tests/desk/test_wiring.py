"""What an outlet was asked to be, and how it is remembered."""

from __future__ import annotations

import stat

import pytest

from eardrum.desk.knobs import Knobs
from eardrum.desk.wiring import Remembered, Wiring, remember, remembered
from eardrum.kernel.outlet_directory import Access, Runtime
from eardrum.terms.audio import VOLUME_NORM
from eardrum.terms.errors import Complaint
from eardrum.worker.spec import Knob

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


def test_what_the_person_has_set_is_remembered_with_it(runtime):
    knobs = {"melody": Knobs(input=Knob(VOLUME_NORM // 2, muted=True))}
    remember(runtime, TWO, knobs=knobs)
    assert remembered(runtime) == Remembered(TWO, knobs=knobs)


def test_the_ceiling_is_a_level():
    assert Wiring("a").highest() is None
    assert Wiring("a", ceiling="50%").checked().highest() == VOLUME_NORM // 2
    with pytest.raises(Complaint, match="level 'low': is none"):
        Wiring("a", ceiling="low").checked()


def test_limits_are_checked_and_remembered(runtime):
    limited = Wiring("a", budget={"streams": 16}).checked()
    remember(runtime, [limited])
    assert remembered(runtime).outlets == [limited]
    with pytest.raises(Complaint, match="unknown field `stream`"):
        Wiring("a", budget={"stream": 16}).checked()


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
        '{"knobs": {"a": {"output": {"volume": -1}}}}',
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
