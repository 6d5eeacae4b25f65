"""Server cores on stage."""

from collections.abc import Callable

import pytest

from eardrum.server.core import Server
from eardrum.server.views import outlet_view, room_view
from eardrum.terms.names import input_end, output_end
from eardrum.testing.stage import Stage


@pytest.fixture
def outlet() -> Callable[..., Stage]:
    """Makes an outlet's core by its wires."""

    def make(output: str = "null", input: str = "") -> Stage:
        end = output_end(output)
        view = outlet_view("box", end, input_end(input) if input else None)
        return Stage(Server(view, writes_file=(0,) if end.kind == "file" else ()))

    return make


@pytest.fixture
def room() -> Stage:
    return Stage(Server(room_view("studio")))
