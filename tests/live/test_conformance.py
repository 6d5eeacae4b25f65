"""What PulseAudio does, held against a PulseAudio, an outlet that mixes, and an outlet in front of that PulseAudio."""

from __future__ import annotations

import pytest

from eardrum.testing.conformance import servers
from eardrum.testing.conformance.expectations import EVERY
from eardrum.testing.servers import end


@pytest.fixture(scope="module")
def paths(stage):
    """The sockets of the servers, by their kind."""
    real = servers.pulseaudio(stage)
    desks = [stage.desk(), stage.desk(upstream=real.address)]
    yield dict([real.subject, servers.mixed(desks[0]), servers.carried(desks[1]), servers.standard(stage)])
    for desk in desks:
        end(desk.process)
    real.pacemaker.close()


@pytest.mark.parametrize("expectation", EVERY, ids=str)
@pytest.mark.parametrize("kind", ["pulseaudio", "mixed", "carried", "serve"])
def test_it_does(paths, kind, expectation):
    expectation.hold(kind, paths[kind])
