"""A PulseAudio whose tunnel modules play into the server under test and record from it."""

from __future__ import annotations

import pytest

from eardrum.testing import heard
from eardrum.testing.servers import RATE

pytestmark = pytest.mark.alone


def test_pulseaudio_plays_through_a_tunnel(served, stage, pulseaudio, sounds, assert_tones):
    tunnel = ["module-tunnel-sink", f"server={served.address}", "sink_name=tunnel", f"rate={RATE}"]
    module = stage.pactl(pulseaudio.address, "load-module", *tunnel).strip()
    try:
        played = stage.run(
            ["paplay", "--device=tunnel", str(sounds / "tone.wav")], {"PULSE_SERVER": pulseaudio.address}
        )
        assert played.returncode == 0, played.stderr
    finally:
        stage.pactl(pulseaudio.address, "unload-module", module)
    sound = heard.trimmed(served.heard())
    assert len(sound) > 1.7 * RATE  # what is under way when the tunnel ends is lost, on any server
    assert_tones(sound)


def test_pulseaudio_records_through_a_tunnel(served, spoken, stage, pulseaudio, assert_tones):
    tunnel = ["module-tunnel-source", f"server={served.address}", "source_name=tunnel", f"rate={RATE}"]
    module = stage.pactl(pulseaudio.address, "load-module", *tunnel).strip()
    try:
        sound = heard.trimmed(stage.record(pulseaudio.address, "tunnel").finish(tail=1.5))
    finally:
        stage.pactl(pulseaudio.address, "unload-module", module)
    assert len(sound) > RATE
    # PulseAudio follows the other clock by resampling, so its pitch wanders a little.
    heard.assert_tones(sound[-RATE // 2 :], RATE, (440, 660), 0.5, within=0.02)
