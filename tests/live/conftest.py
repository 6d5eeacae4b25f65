"""The stage of the live tests: real servers for the whole session, a desk and containers for each test."""

from __future__ import annotations

import contextlib
import shutil
import socket
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from eardrum.protocol.catalog import Auth, SetClientName
from eardrum.protocol.conversation import Asking, ErrorReply, Reply
from eardrum.protocol.message import NEWEST
from eardrum.testing import heard
from eardrum.testing.packages import missing_packages, packages_advice
from eardrum.testing.rootfs import IMAGE, PLAYER, Rootfs
from eardrum.testing.servers import EARDRUM, RATE, Stage, end, wait_until

TONES = (440, 660)  # Hz, left and right
AMPLITUDE = 0.5
LENGTHS = {"short": 0.3, "tone": 2.0, "long": 4.0}  # seconds


@pytest.fixture(scope="session", autouse=True)
def peers():
    """Every program that the live tests start; without one of them they fail, and say what to install."""
    if missing := missing_packages():
        pytest.fail(packages_advice(missing), pytrace=False)


@pytest.fixture(scope="session")
def stage(peers):
    with Stage() as stage:
        yield stage


@pytest.fixture(scope="session")
def pulseaudio(stage):
    return stage.pulseaudio()


@pytest.fixture(scope="session")
def pipewire_pulse(stage):
    return stage.pipewire_pulse()


@pytest.fixture
def open_desk(stage):
    """Starts a desk: `open_desk(runtime=…, upstream=…)`; it ends with the test."""
    desks = []

    def start(**options):
        desks.append(stage.desk(**options))
        return desks[-1]

    yield start
    for desk in reversed(desks):
        end(desk.process)


@pytest.fixture
def base():
    """Makes directories that every user can look into."""
    made = []

    def make() -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="eardrum-open-")))
        made[-1].chmod(0o755)
        return made[-1]

    yield make
    for directory in made:
        shutil.rmtree(directory)


@pytest.fixture
def started(stage):
    """Starts a program without a session: `started(name, argv, HOME=…)`; ends with the test."""
    ours = []

    def start(name, argv, **variables):
        said = [f"{key}={value}" for key, value in variables.items()]
        ours.append(stage.start(name, ["env", "--unset=XDG_RUNTIME_DIR", "--unset=HOME", *said, *argv]))
        return ours[-1]

    yield start
    for process in ours:
        end(process)


@pytest.fixture
def desk(open_desk):
    """A desk on a machine without a sound server."""
    return open_desk()


@pytest.fixture(scope="session")
def sounds(stage):
    """A directory that containers see at /sounds, with the same tones in several lengths."""
    directory = stage.make_directory("sounds")
    directory.chmod(0o755)
    for name, seconds in LENGTHS.items():
        sound = heard.stereo_tones(*TONES, seconds, RATE, AMPLITUDE)
        heard.write_wav(directory / f"{name}.wav", sound, RATE)
    return directory


@pytest.fixture(scope="session")
def rootfs(stage, sounds):
    return Rootfs(stage.directory / "rootfs", sounds)


@pytest.fixture(
    params=[("podman", 0), ("podman", PLAYER), ("bubblewrap", 0), ("bubblewrap", PLAYER)],
    ids=lambda it: f"{it[0]}-uid-{it[1]}",
)
def container(request, contained):
    """Makes the command line that runs a program in a container; the test is run for every engine and user."""
    engine, uid = request.param
    return lambda *command: contained(engine, uid, *command)


@pytest.fixture(scope="session")
def contained(stage, rootfs):
    """Makes the command line for one engine and user."""
    storage = stage.make_directory("podman")

    def command_line(engine, uid, *command):
        return rootfs.podman(storage, uid, *command) if engine == "podman" else rootfs.bubblewrap(uid, *command)

    return command_line


@pytest.fixture(scope="module")
def docker(stage, rootfs):
    """The address of a docker daemon that has the image `player`, made of the root of all containers here."""
    place = stage.make_directory("docker")
    address = f"unix://{place}/socket"
    daemon = stage.start(
        "dockerd",
        ["dockerd", f"--host={address}", f"--data-root={place}/data", f"--exec-root={place}/exec",
         f"--pidfile={place}/pid", "--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false"],
    )  # fmt: skip
    stage.await_listener(daemon, "dockerd", place / "socket")
    imports = f"tar -C {rootfs.directory} -c . | docker --host={address} import - {IMAGE}"
    stage.run(["sh", "-c", imports]).check_returncode()
    yield address
    end(daemon, 30)  # and by that its containerd


def make_microphone(stage, address):
    """Have a server a microphone that hears what is played into the sink `mouth`; returns its modules."""
    remap = ["module-remap-source", "source_name=microphone", "master=mouth.monitor"]
    mouth = stage.pactl(address, "load-module", "module-null-sink", "sink_name=mouth")
    voice = stage.pactl(address, "load-module", *remap, "source_properties=device.description=Voice")
    stage.pactl(address, "set-default-source", "microphone")
    return [voice.strip(), mouth.strip()]


class OnOutlet:
    """A server under test: an outlet whose output is a file, and whose microphone is the room `studio`."""

    sink, source = "output", "input"
    shown = "Input of served"  # the source, for people

    def __init__(self, stage, open_desk, directory):
        desk = self.desk = open_desk()
        self.file = directory / "served.wav"
        self.outlet = desk.open("served", output=f"file:{self.file}", input="room:studio")
        self.address = self.outlet.address

    def voice(self):
        """Address and sink of what is heard in the microphone."""
        return self.desk.open("voice", output="room:studio").address, "output"

    def heard(self):
        """All that was played, frames by channels; the server ends with this."""
        self.desk.close("served")
        samples, rate = heard.load(self.file)
        assert rate == RATE
        return samples

    def close(self):
        """Nothing: its desk ends with the test."""


class OnServe:
    """A server under test: `eardrum serve` into a file, and a virtual microphone that its modules make."""

    sink, source = "output", "microphone"
    shown = "Voice"  # the source, for people

    def __init__(self, stage, open_desk, directory):
        self.stage = stage
        self.file = directory / "served.wav"
        path = directory / "native"
        argv = [EARDRUM, "serve", "--socket", str(path), "--sink", f"file:{self.file}"]
        self.process = stage.start("serve", argv)
        stage.await_listener(self.process, "serve", path)
        self.address = f"unix:{path}"

    def voice(self):
        """Address and sink of what is heard in the microphone."""
        make_microphone(self.stage, self.address)
        return self.address, "mouth"

    def heard(self):
        """All that was played, frames by channels; the server ends with this."""
        end(self.process)
        samples, rate = heard.load(self.file)
        assert rate == RATE
        return samples

    def close(self):
        end(self.process)


SERVERS = {"outlet": OnOutlet, "serve": OnServe}


@pytest.fixture(params=SERVERS)
def served(request, stage, open_desk, tmp_path):
    """The server under test, for each kind that is to behave the same towards programs."""
    server = SERVERS[request.param](stage, open_desk, tmp_path)
    yield server
    server.close()


class Carried:
    """An outlet whose output and input are `upstream`, a sound server of the host, and what is heard there."""

    def __init__(self, stage, open_desk, upstream):
        self.upstream = upstream
        self.desk = open_desk(upstream=upstream.address)
        self.address = self.desk.open("carried", output="host", input="host").address
        self._stage = stage
        self._recording = stage.record(upstream.address, upstream.monitor)
        self._modules = []

    def voice(self):
        """Address and sink of what is heard in the microphone."""
        self._modules = make_microphone(self._stage, self.upstream.address)
        return self.upstream.address, "mouth"

    def heard(self):
        """All that was played, frames by channels; nothing is recorded after this."""
        return self._recording.finish(0.2)

    def close(self):
        end(self._recording.process)
        for module in self._modules:
            self._stage.pactl(self.upstream.address, "unload-module", module)


@pytest.fixture(params=["pulseaudio", "pipewire_pulse"])
def carried(request, stage, open_desk):
    """An outlet that is carried to each kind of sound server that a host has."""
    outlet = Carried(stage, open_desk, request.getfixturevalue(request.param))
    yield outlet
    outlet.close()


@pytest.fixture
def endless(stage):
    """Plays the tones until the test is over: `endless(address, *options)`, which are pacat's."""
    second = stage.directory / "second.raw"  # of whole periods, so that no seam is heard
    if not second.exists():
        tones = heard.stereo_tones(*TONES, 1.0, RATE, AMPLITUDE)
        soundfile.write(second, tones, RATE, "PCM_16", format="RAW")

    players = []

    def play(address, *options):
        line = f"while cat {second}; do :; done | exec pacat --raw --rate={RATE} {' '.join(options)}"
        players.append(stage.start("endless", ["sh", "-c", line], {"PULSE_SERVER": address}))
        return players[-1]

    yield play
    for player in players:
        end(player)


@pytest.fixture
def spoken(served, stage, endless):
    """The tones are in the microphone of the server under test, without an end."""
    address, sink = served.voice()
    endless(address, f"--device={sink}")
    wait_until(lambda: "\t" in stage.pactl(address, "list", "short", "sink-inputs"), "the voice to speak")


@pytest.fixture
def spoken_on_the_host(carried, stage, endless):
    """The tones are in the microphone of the host whose outlet is `carried`."""
    address, sink = carried.voice()
    voice, ear = endless(address, f"--device={sink}"), stage.record(address)
    wait_until(lambda: np.fromfile(ear.path, "u1").any(), "the voice to be heard")
    end(ear.process)
    yield
    end(voice)


@pytest.fixture(scope="session")
def until():
    return wait_until


@pytest.fixture(scope="session")
def load():
    """Reads a sound file of the stage's rate."""

    def read(path):
        samples, rate = heard.load(path)
        assert rate == RATE
        return samples

    return read


@pytest.fixture(scope="session")
def frames_of():
    """How many frames the sound of this name has."""
    return lambda name: round(LENGTHS[name] * RATE)


@pytest.fixture(scope="session")
def assert_tones():
    """The tones are heard from the first frame to the last: each on its side, loud enough, without gap or jump."""

    def check(samples):
        heard.assert_tones(samples, RATE, TONES, AMPLITUDE)
        heard.assert_no_gap(samples, RATE)

    return check


@pytest.fixture(scope="session")
def assert_whole(assert_tones, frames_of):
    """A recording holds the whole sound of this name, and silence before and after."""

    def check(samples, name="tone"):
        sound = heard.trimmed(samples)
        assert_tones(sound)
        # a tone begins and ends near zero, which counts as silence
        assert frames_of(name) - 4 <= len(sound) <= frames_of(name)

    return check


class Talk:
    """A client of its own, number `index` of its outlet, for what no program says."""

    def __init__(self, connection):
        self.connection = connection
        self.conversation = Asking()
        self.ask(Auth(version=NEWEST))
        self.index = self.ask(SetClientName(proplist={"application.name": b"talk"})).message.index

    def ask(self, command):
        """The answer to `command`: a Reply or an ErrorReply."""
        tag, packet = self.conversation.ask(command)
        self.connection.sendall(packet)
        while True:
            data = self.connection.recv(65_536)
            assert data, "the server closed the connection"
            for said in self.conversation.receive(memoryview(data)):
                if isinstance(said, Reply | ErrorReply) and said.tag == tag:
                    return said


@pytest.fixture(scope="session")
def talk():
    """Connects to an outlet: `with talk(outlet) as talking: talking.ask(…)`."""

    @contextlib.contextmanager
    def connect(outlet):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(outlet.address.removeprefix("unix:"))
            yield Talk(connection)

    return connect
