"""An outlet's directory in containers: across desks, with others in a room, spoiled, and within a container again."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

import eardrum
from eardrum.testing import heard
from eardrum.testing.browser import Browser
from eardrum.testing.rootfs import PLAYER
from eardrum.testing.servers import CHANNELS, EARDRUM, FRAME_BYTES, RATE, end, wait_until

PAREC = f"parec --format=s16le --rate={RATE} --channels={CHANNELS} --latency-msec=50"
SECOND = RATE * FRAME_BYTES
PYTHON = f"/tmp/python/bin/python3.{sys.version_info.minor}"
SEEN = {
    "/tmp/python": sys.base_prefix,
    "/tmp/packages": sysconfig.get_path("purelib"),
    "/tmp/source": str(Path(eardrum.__file__).parents[1]),
}


class Talking:
    """A container that does the next thing when it is told to; what it records goes to `file`."""

    def __init__(self, stage, name, argv, extra=None):
        self.name = name
        self.file = stage.directory / f"{name}.raw"
        with self.file.open("wb") as file:
            self.process = stage.start(name, argv, extra, stdin=subprocess.PIPE, stdout=file)

    def go_on(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def size(self):
        return self.file.stat().st_size

    def heard(self, start=0):
        """What it has recorded from that byte on."""
        sound = np.fromfile(self.file, "<i2")[start // 2 :]
        return sound[: len(sound) // CHANNELS * CHANNELS].reshape(-1, CHANNELS)

    def await_more(self, size):
        enough = self.size() + size
        wait_until(lambda: self.size() > enough, f"{self.name} to record {size} bytes more")

    def end(self):
        self.process.stdin.close()
        end(self.process)


@pytest.fixture
def talking(stage):
    ours = []

    def start(name, argv, **extra):
        ours.append(Talking(stage, name, argv, **extra))
        return ours[-1]

    yield start
    for container in ours:
        container.end()


@pytest.fixture
def podman(stage, rootfs):
    """Makes podman's command line, whose standard input is open."""
    storage = stage.make_directory("podman")
    return lambda *command, options=(): rootfs.podman(storage, PLAYER, *command, options=["-i", *options])


def test_the_next_desk_is_reached_through_the_same_mount(
    stage, open_desk, podman, talking, load, assert_whole, tmp_path
):
    desk = open_desk()
    desk.open("radio", output=f"file:{tmp_path / 'heard.wav'}")
    told = desk.command("flags", "podman", "radio")
    assert told.returncode == 0, told.stderr
    script = "paplay /sounds/short.wav; echo done; read next; paplay /sounds/tone.wav; echo done"
    container = talking("radio", podman("sh", "-c", script, options=told.stdout.split()))
    wait_until(container.size, "the first sound to be played")
    end(desk.process)
    desk = open_desk(runtime=desk.runtime)
    container.go_on()
    wait_until(lambda: container.size() > len("done\n"), "the second sound to be played")
    desk.close("radio")
    assert_whole(load(tmp_path / "heard.wav"), "short")
    assert_whole(load(tmp_path / "heard-2.wav"))


ROOM = f"{PAREC} & read next; paplay /sounds/short.wav; read end; kill $!"


def test_two_containers_in_a_room_hear_each_other_and_a_third_does_not(desk, rootfs, podman, talking, assert_whole):
    def wired(name, room, argv):
        words = ["run", "--name", name, "--output", f"room:{room}", "--input", f"room:{room}", "--", *argv]
        return talking(name, [EARDRUM, *words], extra=desk.environment)

    alice = wired("alice", "meeting", podman("sh", "-c", ROOM))
    bob = wired("bob", "meeting", rootfs.nspawn("player", "sh", "-c", ROOM, options=["--pipe"]))
    carol = wired("carol", "elsewhere", rootfs.bubblewrap(PLAYER, "sh", "-c", ROOM))
    for container in (alice, bob, carol):
        wait_until(container.size, f"{container.name} to record")
    assert_hears_alone(bob, alice, carol, assert_whole)
    assert_hears_alone(alice, bob, carol, assert_whole)


def assert_hears_alone(listens, speaks, other, assert_whole):
    """What is said in one container is heard in one other, whole, and by nobody else, the speaker included."""
    starts = [container.size() // FRAME_BYTES * FRAME_BYTES for container in (listens, speaks, other)]
    speaks.go_on()
    wait_until(lambda: listens.heard(starts[0]).any(), f"{listens.name} to hear")
    for container in (listens, speaks, other):
        container.await_more(SECOND)
    assert_whole(listens.heard(starts[0]), "short")
    heard.assert_silence(speaks.heard(starts[1]))
    heard.assert_silence(other.heard(starts[2]))


def test_a_container_spoils_only_its_own_kit(stage, open_desk, rootfs, podman, tmp_path, load, assert_whole):
    """Its mount is writable, against all advice, and it is root."""
    desk = open_desk()
    outlet = desk.open("radio", output=f"file:{tmp_path / 'heard.wav'}")
    inode = outlet.directory.stat().st_ino
    spoils = "cd /run/pulse; for file in client.conf asound.conf README .README.new; do echo nonsense >$file; done"
    writable = f"--volume={outlet.directory}:/run/pulse"
    argv = rootfs.podman(stage.make_directory("podman"), 0, "sh", "-c", spoils, options=[writable])
    stage.run(argv).check_returncode()
    assert (outlet.directory / "client.conf").read_text() == "nonsense\n"
    end(desk.process)
    desk = open_desk(runtime=desk.runtime)
    assert outlet.directory.stat().st_ino == inode
    mounted = desk.command("flags", "podman", "radio").stdout.split()
    stage.run(podman("aplay", "-q", "/sounds/short.wav", options=mounted)).check_returncode()
    desk.close("radio")
    assert_whole(load(tmp_path / "heard.wav"), "short")
    assert not outlet.directory.exists()


# In a container: what plays through an outlet of an outlet, and what it is refused there, and by the one outside.
NESTED = f"""\
paplay /sounds/tone.wav
pactl load-module module-null-sink
PULSE_SERVER=unix:/run/pulse/native pactl load-module module-null-sink
pactl list short clients | wc -l
{PAREC} | head -c {SECOND} | tr -d '\\0' | wc -c"""


def test_an_outlet_is_the_host_of_a_desk_in_its_container(stage, desk, rootfs, endless, tmp_path, load, assert_whole):
    endless(desk.open("bystander", output="null").address)
    options = [word for place, source in SEEN.items() for word in ("--ro-bind", source, place)]
    variables = {"HOME": "/tmp", "XDG_RUNTIME_DIR": "/tmp", "PYTHONPATH": "/tmp/source:/tmp/packages"}
    options += [word for pair in variables.items() for word in ("--setenv", *pair)]
    inner = [PYTHON, "-m", "eardrum", "run", "--hear", "--input", "host", "--", "sh", "-c", NESTED]
    argv = rootfs.bubblewrap(PLAYER, *inner, options=["--ro-bind", "/usr", "/usr", *options])
    file = tmp_path / "heard.wav"
    ran = desk.command("run", "--output", f"file:{file}", "--", *argv)
    assert ran.stderr.count("Access denied") == 2, ran.stderr
    assert ran.stdout.split() == ["1", "0"], ran.stdout  # it sees itself, and hears nobody
    assert_whole(load(file))


CHROMIUM = ("--autoplay-policy=no-user-gesture-required", "--use-fake-ui-for-media-stream")
PLAYS = """(async () => {
  const context = new AudioContext({sampleRate: 48000, latencyHint: 'playback'});
  const merger = context.createChannelMerger(2);
  const begin = context.currentTime + 0.5;
  [440, 660].forEach((frequency, side) => {
    const tone = new OscillatorNode(context, {frequency}), level = new GainNode(context, {gain: 0.5});
    tone.connect(level).connect(merger, 0, side);
    tone.start(begin); tone.stop(begin + 1);
  });
  merger.connect(context.destination);
  await new Promise(done => setTimeout(done, 2500));
  return 'played';
})()"""
HEARS = """(async () => {
  const audio = {echoCancellation: false, noiseSuppression: false, autoGainControl: false};
  const stream = await navigator.mediaDevices.getUserMedia({audio});
  const context = new AudioContext({sampleRate: 48000});
  const analyser = new AnalyserNode(context, {fftSize: 16384, smoothingTimeConstant: 0});
  context.createMediaStreamSource(stream).connect(analyser);
  const levels = new Float32Array(analyser.frequencyBinCount);
  for (;;) {
    await new Promise(done => setTimeout(done, 100));
    analyser.getFloatFrequencyData(levels);
    const loudest = levels.indexOf(Math.max(...levels));
    if (levels[loudest] > -40) return loudest * 48000 / analyser.fftSize;
  }
})()"""


@pytest.mark.alone
def test_chromium_in_a_container_plays_and_hears_its_microphone(stage, desk, sounds, tmp_path, load, assert_tones):
    file = tmp_path / "heard.wav"
    wired = ["--output", f"file:{file}", "--input", f"loop:{sounds / 'tone.wav'}"]
    run = [
        sys.executable,
        "-m",
        "eardrum",
        "run",
        "--runtime-dir",
        str(desk.runtime),
        "--name",
        "chromium",
        *wired,
        "--",
    ]
    page = tmp_path / "page.html"
    page.write_text("<title>page</title>")
    bwrap = [
        *("bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
        *("--tmpfs", "/run", "--tmpfs", "/tmp", "--ro-bind", str(page), "/tmp/page.html"),
    ]
    browser = Browser(stage, CHROMIUM, within=lambda argv: [*run, *bwrap, *argv])
    browser.show("file:///tmp/page.html")
    assert browser.value(PLAYS) == "played"
    frequency = browser.value(HEARS)
    browser.close()
    wait_until(lambda: "chromium" not in desk.list(), "Chromium and its outlet to end")
    assert min(abs(frequency - tone) for tone in (440, 660)) < 4
    sound = heard.trimmed(load(file))
    assert abs(len(sound) - RATE) < 0.01 * RATE
    assert_tones(sound)
