"""Chromium without a screen: WebAudio plays, and the virtual microphone is offered and heard."""

from __future__ import annotations

import http.server
import json
import threading
import urllib.parse

import pytest

from eardrum.testing import heard
from eardrum.testing.servers import RATE

pytestmark = pytest.mark.alone

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --disable-dev-shm-usage --autoplay-policy=no-user-gesture-required"
    " --use-fake-ui-for-media-stream"
)
# what is done comes back as a request: /told?WORDS
PLAYS = """<script>
(async () => {
  const context = new AudioContext({sampleRate: 48000, latencyHint: 'playback'});
  const merger = context.createChannelMerger(2);
  const begin = context.currentTime + 0.5;
  [440, 660].forEach((frequency, side) => {
    const tone = new OscillatorNode(context, {frequency}), level = new GainNode(context, {gain: 0.5});
    tone.connect(level).connect(merger, 0, side);
    tone.start(begin); tone.stop(begin + 1);
  });
  merger.connect(context.destination);
  setTimeout(() => fetch('/told?played'), 2500);
})();
</script>"""
# the strength of 440 Hz against all the rest of what is heard, in dB, when it is heard
HEARS = """<script>
(async () => {
  try {
    const plain = {echoCancellation: false, noiseSuppression: false, autoGainControl: false};
    const stream = await navigator.mediaDevices.getUserMedia({audio: plain});
    const devices = await navigator.mediaDevices.enumerateDevices();
    const names = devices.filter(device => device.kind == 'audioinput').map(device => device.label);
    const context = new AudioContext({sampleRate: 48000});
    const analyser = new AnalyserNode(context, {fftSize: 16384, smoothingTimeConstant: 0});
    context.createMediaStreamSource(stream).connect(analyser);
    const levels = new Float32Array(analyser.frequencyBinCount), hz = 48000 / analyser.fftSize;
    for (;;) {
      await new Promise(done => setTimeout(done, 100));
      analyser.getFloatFrequencyData(levels);
      const loudest = levels.indexOf(Math.max(...levels));
      if (levels[loudest] > -40) {
        await fetch('/told?' + encodeURIComponent(JSON.stringify([names, loudest * hz])));
        return;
      }
    }
  } catch (error) { fetch('/told?' + encodeURIComponent('' + error)); }
})();
</script>"""


@pytest.fixture
def browse(stage, tmp_path, until):
    """Shows a page to Chromium, whose sound server is at `address`, and returns what the page tells."""
    told, pages = [], []

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path.startswith("/told?"):
                told.append(urllib.parse.unquote(self.path.removeprefix("/told?")))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(pages[0].encode() if self.path == "/" else b"")

        def log_message(self, *words):
            pass

    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    serving = threading.Thread(target=site.serve_forever)
    serving.start()

    def show(page, address):
        pages.append(page)
        where = f"http://localhost:{site.server_port}/"
        argv = ["chromium", *FLAGS.split(), f"--user-data-dir={tmp_path / 'chromium'}", where]
        stage.start("chromium", argv, {"PULSE_SERVER": address})
        return until(lambda: told and told[0], f"the page to tell\n{stage.log('chromium')[-2000:]}", 60)

    yield show
    site.shutdown()
    serving.join()
    site.server_close()


@pytest.fixture
def plays(browse, assert_tones):
    """Has Chromium play on a server, where it is heard."""

    def check(server):
        assert browse(PLAYS, server.address) == "played"
        sound = heard.trimmed(server.heard())
        assert abs(len(sound) - RATE) < 0.01 * RATE
        assert_tones(sound)

    return check


def test_chromium_plays(served, plays):
    plays(served)


def test_chromium_is_carried(carried, plays):
    plays(carried)


def test_chromium_hears_the_virtual_microphone(browse, served, spoken):
    said = browse(HEARS, served.address)
    assert said.startswith("["), said
    names, frequency = json.loads(said)
    assert served.shown in names
    assert not [name for name in names if name.startswith("Monitor")]
    assert min(abs(frequency - tone) for tone in (440, 660)) < 4
