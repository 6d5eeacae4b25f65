"""A nursery for real workers."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eardrum.testing.workers import Worker, Workers


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    with tempfile.TemporaryDirectory(prefix="eardrum-") as directory:
        workers = Workers(Path(directory))
        yield workers
        workers.close()


@pytest.fixture
def grow(workers) -> Iterator[Callable[..., Worker]]:
    """Makes outlets' workers; at the end of a test all must have ended as they should."""
    grown: list[Worker] = []

    def make(*args: object, **options: object) -> Worker:
        grown.append(workers.outlet(*args, **options))
        return grown[-1]

    yield make
    for worker in grown:
        worker.close()
    for worker in grown:
        assert worker.ends() == 0
