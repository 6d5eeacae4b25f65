"""Order of the tests: what is pure first, what starts real programs last. Hypothesis tries the same each time.

`HYPOTHESIS_PROFILE=new pytest …` tries what was never tried; `make fuzz` does so at length.
"""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.register_profile("new", print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

LIVE = Path(__file__).parent / "live"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if LIVE in item.path.parents:
            item.add_marker(pytest.mark.live)
    items.sort(key=lambda item: LIVE in item.path.parents)
