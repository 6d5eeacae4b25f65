"""Channels of one map become those of another as in a real PulseAudio: our matrices, and what our server plays."""

from __future__ import annotations

import numpy as np
import pytest

from eardrum.server.formats import POSITION_NAMES
from eardrum.sound import remap
from eardrum.terms.audio import SampleFormat, SampleSpec
from eardrum.testing.conformance.client import Talk
from eardrum.testing.heard import RATE

MAPS = {
    "mono": (0,), "stereo": (1, 2), "2.1": (1, 2, 7), "4.0": (1, 2, 5, 6), "5.0": (1, 2, 5, 6, 3),
    "5.1": (1, 2, 5, 6, 3, 7), "5.1 on the side": (1, 2, 10, 11, 3, 7), "7.1": (1, 2, 5, 6, 3, 7, 10, 11),
    "left": (1,), "center": (3,), "rear center": (1, 2, 4), "top": (45, 46, 48, 49), "two times left": (1, 1),
    "stereo and mono": (1, 2, 0), "aux": tuple(range(12, 16)), "aiff": (1, 8, 3, 2, 9, 4), "rear first": (10, 5, 1, 2),
}  # fmt: skip
LENGTH = 4096  # frames of noise
LOUD = 0.1


@pytest.fixture(scope="module", params=["pulseaudio", "eardrum serve"])
def server(request, stage):
    return stage.pulseaudio("channels") if request.param == "pulseaudio" else stage.serve("channels-served")


@pytest.mark.parametrize("name", MAPS)
def test_a_map_becomes_any_other(stage, server, name):
    own = bytes(MAPS[name])
    positions = ",".join(POSITION_NAMES[position] for position in own)
    words = ["rate=48000", "format=float32le", f"channels={len(own)}", f"channel_map={positions}", "norewinds=1"]
    module = stage.pactl(server.address, "load-module", "module-null-sink", "sink_name=own", *words)
    talk = Talk(server.address.removeprefix("unix:")).introduced()
    try:
        for other, heard in remixed(talk, own).items():
            way = remap.matrix(own, other)
            wanted = np.eye(len(own)) if way is None else way
            np.testing.assert_allclose(heard, wanted, atol=2e-4, err_msg=f"{name} to {other.hex()}")
    finally:
        talk.close()
        stage.pactl(server.address, "unload-module", module.strip())


def remixed(talk: Talk, own: bytes) -> dict[bytes, np.ndarray]:
    """What makes of the channels of this map those of each other: as matrices, channels in by channels out."""
    ears = {}
    for other in map(bytes, MAPS.values()):
        spec = SampleSpec(SampleFormat.FLOAT32LE, len(other), RATE)
        fields = {"source_name": "own.monitor", "channel_map": other, "fragsize": 480 * spec.frame_bytes}
        ears[other] = talk.record(spec, adjust_latency=True, **fields).channel
    noise = np.random.default_rng(1).uniform(-LOUD, LOUD, (LENGTH, len(own))).astype(np.float32)
    spec = SampleSpec(SampleFormat.FLOAT32LE, len(own), RATE)
    made = talk.play(spec, sink_name="own", channel_map=own, prebuf=0, tlength=960 * spec.frame_bytes)
    talk.write(made.channel, noise.tobytes(), 2, 0)

    def sound(other: bytes) -> np.ndarray:
        return np.frombuffer(bytes(talk.sound.get(ears[other], b"")), np.float32).reshape(-1, len(other))

    def over(other: bytes) -> bool:
        recorded = sound(other)
        loud = np.flatnonzero(recorded.any(axis=1))
        return len(loud) > 0 and len(recorded) > loud[0] + LENGTH

    talk.until(lambda: over(own), "the noise to be over")
    ends = {other: max(LENGTH, len(sound(other))) + RATE // 10 for other in ears}
    talk.until(lambda: all(len(sound(other)) > ends[other] for other in ears), "silence after it")
    talk.until(lambda: all(over(other) or not sound(other).any() for other in ears), "the others")
    return {other: matrix_between(noise, sound(other)) for other in ears}


def matrix_between(noise: np.ndarray, heard: np.ndarray) -> np.ndarray:
    """The matrix that makes what was heard, wherever it begins, of the noise."""
    loud = np.abs(heard).max(axis=0).argmax()
    if not heard[:, loud].any():
        return np.zeros((noise.shape[1], heard.shape[1]))
    size = 2 * len(heard)
    spectra = np.conj(np.fft.rfft(noise, size, axis=0)) * np.fft.rfft(heard[:, loud], size)[:, np.newaxis]
    start = np.unravel_index(np.abs(np.fft.irfft(spectra, size, axis=0)).argmax(), (size, noise.shape[1]))[0]
    return np.linalg.lstsq(noise, heard[start : start + LENGTH], rcond=None)[0]
