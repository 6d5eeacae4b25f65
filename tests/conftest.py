"""Order of the tests: what is pure first, what starts real programs last. Hypothesis tries the same each time.

`HYPOTHESIS_PROFILE=new pytest …` tries what was never tried; `make fuzz` does so at length.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from eardrum.testing.second_try import SecondTry
from eardrum.testing.servers import Stage

hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.register_profile("few", derandomize=True, max_examples=10)
hypothesis.settings.register_profile("new", print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

LIVE = Path(__file__).parent / "live"
HOSTILE = Path(__file__).parent / "hostile"


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(SecondTry("live", "hostile"))
    os.environ["EARDRUM_CONFIG"] = os.devnull  # desks of tests are not as whoever runs them has configured theirs


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if LIVE in item.path.parents:
            item.add_marker(pytest.mark.live)
        if HOSTILE in item.path.parents:
            item.add_marker(pytest.mark.hostile)
    items.sort(key=lambda item: LIVE in item.path.parents)


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A stage with devices of ALSA, which this process has too."""
    with Stage() as stage:
        stage.cards()
        monkeypatch.setenv("ALSA_CONFIG_PATH", stage.environment["ALSA_CONFIG_PATH"])
        yield stage
