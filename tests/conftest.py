"""Order of the tests: what is pure first, what starts real programs last."""

from __future__ import annotations

from pathlib import Path

import pytest

LIVE = Path(__file__).parent / "live"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if LIVE in item.path.parents:
            item.add_marker(pytest.mark.live)
    items.sort(key=lambda item: LIVE in item.path.parents)
