"""What the other tests stand on: the stage itself hears exactly what is played, without Eardrum."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("peer", ["pulseaudio", "pipewire_pulse"])
def test_a_tone_played_directly_is_heard_exactly(request, stage, sounds, assert_whole, peer):
    server = request.getfixturevalue(peer)
    recording = stage.record(server.address, server.monitor)
    stage.play(server.address, sounds / "tone.wav")
    assert_whole(recording.finish())
