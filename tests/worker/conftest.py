"""A nursery for real workers."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from eardrum.testing.workers import Workers


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    with tempfile.TemporaryDirectory(prefix="eardrum-") as directory:
        workers = Workers(Path(directory))
        yield workers
        workers.close()
