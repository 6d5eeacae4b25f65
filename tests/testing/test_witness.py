from __future__ import annotations

import contextlib
import os
import signal
import time

from eardrum.testing.servers import wait_until
from eardrum.testing.witness import Witness


def test_it_tells_how_long_it_could_not_run():
    with contextlib.closing(Witness(bound=0.2)) as witness:
        began = time.monotonic()
        os.killpg(witness.process.pid, signal.SIGSTOP)
        time.sleep(0.3)
        os.killpg(witness.process.pid, signal.SIGCONT)
        assert wait_until(lambda: witness.longest(began), "what it overslept") > 0.2
        assert witness.longest(time.monotonic() + 1000) == 0


def test_it_tells_nothing_of_what_is_shorter():
    with contextlib.closing(Witness(bound=1000)) as witness:
        began = time.monotonic()
        os.killpg(witness.process.pid, signal.SIGSTOP)
        os.killpg(witness.process.pid, signal.SIGCONT)
        assert witness.longest(began) == 0
