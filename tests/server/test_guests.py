"""What a guest hears of an outlet: its default sink, whichever that is."""

import numpy as np
import pytest

from eardrum.protocol import catalog as c
from eardrum.server.core import Server
from eardrum.server.rights import Right
from eardrum.server.views import outlet_view
from eardrum.terms.names import WireEnd
from eardrum.testing.stage import ALL, Stage, sine

GUEST = 1  # its view
SECOND = 48000 * 8  # bytes of float32 stereo
WAVE = sine(440, 4800)


@pytest.fixture
def stage():
    return Stage(Server(outlet_view("box", WireEnd("null"), None, modules=True)))


@pytest.fixture
def script(stage):
    return stage.join(ALL | Right.MODULES)


@pytest.fixture
def hears(stage):
    """Whether the guest, who records all the time, hears what a program plays into a sink."""
    guest = stage.attach(view=GUEST)
    guest.record(source_name="output", fragsize=4096)

    def check(program, sink=None):
        before = len(guest.heard())
        playing = program.play(sink_name=sink, tlength=SECOND, prebuf=8)
        program.write(playing.channel, WAVE.tobytes())
        stage.passes(0.5)
        program.ask(c.DeletePlaybackStream(channel=playing.channel))
        return np.abs(guest.heard()[before:]).max() > 0.4

    return check


def test_a_sink_that_a_program_makes_is_heard_while_it_is_the_default(script, hears):
    assert hears(script)
    module = script.ask(c.LoadModule(name="module-null-sink", argument="sink_name=grab rate=44100")).index
    script.ask(c.LoadModule(name="module-null-sink", argument="sink_name=voice"))
    assert hears(script)
    assert hears(script, "grab")
    assert not hears(script, "voice")
    script.ask(c.SetDefaultSink(name="voice"))
    assert hears(script, "voice")
    script.ask(c.UnloadModule(index=module))
    assert hears(script)


def test_a_guest_who_comes_later_hears_it_too(stage, script):
    script.ask(c.LoadModule(name="module-null-sink", argument="sink_name=grab"))
    guest = stage.attach(view=GUEST)
    guest.record(source_name="output", fragsize=4096)
    playing = script.play(tlength=SECOND, prebuf=8)
    script.write(playing.channel, WAVE.tobytes())
    stage.passes(0.5)
    assert np.abs(guest.heard()).max() > 0.4


def test_it_goes_back_to_the_wire_when_the_default_is_gone(stage, script, hears):
    module = script.ask(c.LoadModule(name="module-null-sink", argument="sink_name=grab")).index
    script.ask(c.UnloadModule(index=module))
    assert hears(script, "output")
    assert len(list(stage.server.buses)) == 2
