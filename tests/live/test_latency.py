"""The latency that a carried stream reports is what its sound takes: pictures that follow it are in time."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.alone

CLICKS = Path(__file__).with_name("programs") / "clicks.py"
MOST = 10.0  # ms; a buffer that is not counted, or counted twice, is 50 or more


def test_a_click_is_heard_when_the_reported_latency_says(stage, carried):
    upstream = carried.upstream
    done = stage.run([sys.executable, str(CLICKS), carried.address, upstream.address, upstream.monitor])
    assert done.returncode == 0, done.stderr
    late = [float(word) for word in done.stdout.split()]
    assert abs(statistics.median(late)) < MOST, late
