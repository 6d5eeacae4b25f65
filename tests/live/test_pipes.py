"""module-pipe-sink and -source in `eardrum serve`: raw samples through FIFOs, as scripts have them."""

from __future__ import annotations

import stat
import threading

import pytest

from eardrum.terms.audio import SampleFormat, SampleSpec
from eardrum.testing import heard
from eardrum.testing.servers import end

MONO = SampleSpec(SampleFormat.S16LE, 1, 44100)


@pytest.fixture
def server(stage):
    served = stage.serve("pipes")
    yield served
    end(next(process for process in stage.processes if process.pid == served.pids[0]))


def load(stage, server, name, *arguments):
    return stage.pactl(server.address, "load-module", f"module-{name}", *arguments).strip()


def test_what_is_played_into_a_pipe_sink_comes_out_of_its_fifo(stage, server, tmp_path, sounds):
    path = tmp_path / "fifo"
    module = load(stage, server, "pipe-sink", f"file={path}", "sink_name=pipe", "rate=44100", "channels=1")
    assert stat.S_ISFIFO(path.stat().st_mode)
    got = bytearray()

    def read():
        with path.open("rb") as fifo:
            while data := fifo.read(4096):
                got.extend(data)

    reader = threading.Thread(target=read)
    reader.start()
    stage.play(server.address, sounds / "tone.wav", "--device=pipe")
    stage.pactl(server.address, "unload-module", module)  # then the FIFO ends
    reader.join(30)
    samples = heard.trimmed(heard.read_pcm(bytes(got), MONO))
    expected, rate = heard.load(sounds / "tone.wav")
    assert len(samples) / 44100 == pytest.approx(len(heard.trimmed(expected)) / rate, abs=0.05)
    assert not path.exists()


def test_what_is_written_into_a_pipe_sources_fifo_is_recorded(stage, server, tmp_path):
    path = tmp_path / "speech"
    load(stage, server, "pipe-source", f"file={path}", "source_name=mic")
    recording = stage.record(server.address, "mic")
    wave = heard.stereo_tones(440, 660, 1.0)
    with path.open("wb") as fifo:
        fifo.write((wave * 32767).astype("<i2").tobytes())
    samples = heard.trimmed(recording.finish(tail=1.5))
    assert len(samples) == pytest.approx(48000, abs=200)
    heard.assert_tones(samples, 48000, (440, 660))
    heard.assert_no_gap(samples, 48000)


@pytest.mark.parametrize("where", ["taken", "nowhere/fifo"])
def test_a_fifo_that_cannot_be_made_fails_the_module_only(stage, server, tmp_path, where):
    (tmp_path / "taken").write_text("mine")
    done = stage.run(
        ["pactl", "load-module", "module-pipe-sink", f"file={tmp_path / where}"], {"PULSE_SERVER": server.address}
    )
    assert done.returncode == 1
    assert (tmp_path / "taken").read_text() == "mine"
    assert "pipe" not in stage.pactl(server.address, "list", "short", "modules")
