"""Children that are confined, and tell how they fare."""

import json
import os
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def in_a_child() -> Callable[[Callable[[], Any]], Any]:
    """A function that lets a forked child do something: what that returned, as far as JSON can tell it.

    If it failed, "OSError: …"; if a signal ended the child, minus its number.
    """

    def do(act: Callable[[], Any]) -> Any:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            _live(act, writer)
        os.close(writer)
        with open(reader, "rb") as told:
            said = told.read()
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return json.loads(said) if said else status

    return do


def _live(act: Callable[[], Any], writer: int) -> None:
    try:
        said: Any = act()
    except BaseException as problem:
        said = f"{type(problem).__name__}: {problem}"
    os.write(writer, json.dumps(said).encode())
    os._exit(0)
