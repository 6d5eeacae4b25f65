"""The pytest plugin: the fixture `sound`, a private sound card for every test that asks for one.

Nothing heavy is imported, and nothing is started, before the first test asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from eardrum.testing.card import PrivateDesk, SoundCard


@pytest.fixture(scope="session")
def _eardrum_desk() -> Iterator[PrivateDesk]:
    from eardrum.testing.card import PrivateDesk

    with PrivateDesk() as desk:
        yield desk


@pytest.fixture
def sound(_eardrum_desk: PrivateDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundCard]:
    """A sound card of this test alone, with a microphone; programs that the test starts find it by PULSE_SERVER.

    What they play is recorded to `heard.wav` in the test's tmp_path. See docs/testing.md.
    """
    with _eardrum_desk.card(tmp_path / "heard.wav") as card:
        for name in ("PULSE_SINK", "PULSE_SOURCE"):
            monkeypatch.delenv(name, raising=False)
        for name, value in card.environment.items():
            monkeypatch.setenv(name, value)
        yield card
