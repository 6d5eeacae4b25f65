"""What the pages for people tell to type is typed here.

A comment before a block, which readers do not see, says how: `in a terminal of its own, until: COMMAND` (it stays there
until the page is done, and the next block waits for COMMAND), `refused: WORDS` (each line fails and says WORDS), or
`not typed: REASON`. Without one it is typed as it stands, and has to succeed.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import soundfile
import yaml

from eardrum.testing import heard
from eardrum.testing.servers import EARDRUM

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
RATES = {"meeting.wav": 44_100, "all.wav": 48_000}
PROGRAM = """#!/bin/sh
[ "$1" = --quiet ] || exec paplay {sound}
"""
RECORDER = """#!/bin/sh
timeout --signal=INT 5 parec --latency-msec=50 --file-format=wav "$1"
[ $? = 124 ]
"""
VOICE = """#!/bin/sh
[ "$1" = --raw ] && exec head -c 48000 /dev/zero
"""
BLOCK = re.compile(r"(?:<!-- ([^>]*) -->\n)?^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# blocks, typed by tests of their own below, and in test_units
TYPED_BY_THEMSELVES = {"testing.md": 2, "rooms.md": 7, "serve.md": 4, "at-login-and-at-boot.md": 4, "engines.md": 15}
NOT_TYPED = {
    "README.md": ["make demo is typed by test_demo, and make test is this", "the test has it set up already"],
    "docs/at-login-and-at-boot.md": ["needs a registry of images"],
    "docs/rooms.md": ["needs an image with a browser"],
    "docs/sound-and-containers.md": [
        "needs a registry of images",
        "needs a second machine",
    ],
}
REFUSED = """\
refused() {
    if (eval "$2") >said 2>&1; then echo "is allowed: $2" >&2; exit 1; fi
    grep -qF "$1" said || { echo "$2: refused, but not with: $1" >&2; cat said >&2; exit 1; }
}
"""
PODMAN = """\
[engine]
runtime = "runc"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
"""
STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{directory}/root"
runroot = "{directory}/runroot"
"""


@dataclass(frozen=True)
class Block:
    """Commands as they stand on a page, and what the comment before them says."""

    how: str
    says: str
    text: str

    def script(self) -> str:
        """What a shell is told, so that the commands are typed as the comment says."""
        match self.how:
            case "":
                return self.text
            case "in a terminal of its own, until":
                assert "\n" not in self.text.strip(), "one command for one terminal"
                wait = f"until {self.says} >/dev/null 2>&1; do sleep 0.1; done"
                return f'{self.text.strip()} >terminal 2>&1 &\nterminals="$terminals $!"\n{wait}\n'
            case "refused":
                lines = self.text.replace("\\\n", "").strip().split("\n")
                return "".join(f"refused {shlex.quote(self.says)} {shlex.quote(line)}\n" for line in lines)
            case "not typed":
                return ""
        raise ValueError(f"what does {self.how!r} mean?")


def blocks_of(page: Path) -> list[Block]:
    return [
        Block(*[part.strip() for part in (comment or ":").split(":", 1)], text)
        for comment, text in BLOCK.findall(page.read_text())
    ]


PAGES = [
    str(page.relative_to(ROOT))
    for page in [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
    if page.name not in TYPED_BY_THEMSELVES and blocks_of(page)
]


def blocks(page: str, language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no block of {language}"
    return found


@pytest.fixture
def typed(stage, tmp_path):
    """Runs a command line in a directory of its own, where `my-program` plays a tone, `my-recorder` records, and
    `say-something` has sound on standard output.
    """
    programs = stage.make_directory("programs")
    sound = heard.write_wav(programs / "tone.wav", heard.sine(440, 48_000, channels=2))
    texts = {"my-program": PROGRAM.format(sound=sound), "my-recorder": RECORDER, "say-something": VOICE}
    for name, text in texts.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    path = f"{programs}:{Path(EARDRUM).parent}:{stage.environment['PATH']}"

    def run(command: str, **extra: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-ec", command],
            cwd=tmp_path,
            env={**stage.environment, "PATH": path, **extra},
            capture_output=True,
            text=True,
            timeout=240,
        )

    return run


@pytest.fixture(scope="module")
def desktop(stage, rootfs):
    """A sound server where programs look for it, an image `player`, and podman, also under the name of docker."""
    runtime = stage.make_directory("desktop")
    path = stage.make_directory("desktop/pulse") / "native"
    stage.pulseaudio("desktop-server", "-L", f"module-native-protocol-unix socket={path} auth-anonymous=1")
    directory = stage.make_directory("images")
    (directory / "containers.conf").write_text(PODMAN)
    (directory / "storage.conf").write_text(STORAGE.format(directory=directory))
    (stage.make_directory("programs") / "docker").symlink_to("/usr/bin/podman")
    variables = {
        "XDG_RUNTIME_DIR": str(runtime),
        "CONTAINERS_CONF": str(directory / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(directory / "storage.conf"),
    }
    stage.run(["sh", "-c", f"tar -C {rootfs.directory} -c . | podman import - player"], variables).check_returncode()
    return variables


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", PAGES)
def test_page(typed, desktop, stage, tmp_path, page):
    tmp_path.chmod(0o755)  # for other users in containers
    (tmp_path / "demo-out").mkdir()
    tune = heard.sine(440, 48_000, channels=2)
    heard.write_wav(tmp_path / "tune.wav", tune)
    soundfile.write(tmp_path / "demo-out/heard.flac", tune, 48_000)
    script = "trap 'kill $terminals; wait' EXIT\n" + REFUSED
    script += "".join(block.script() for block in blocks_of(ROOT / page))
    done = typed(script, **desktop, EARDRUM_RUNTIME_DIR=str(stage.make_directory(Path(page).stem)))
    assert done.returncode == 0, done.stdout + done.stderr


EXAMPLES = {"json": json.loads, "yaml": yaml.safe_load}


def test_pipewire_plays_into_an_outlet(stage, desk, sounds, tmp_path, until):
    file = tmp_path / "heard.wav"
    outlet = desk.open("radio", output=f"file:{file}")
    home = stage.make_directory("native")
    configuration = home / ".config/pipewire/pipewire.conf.d/outlet.conf"
    configuration.parent.mkdir(parents=True)
    (block,) = [text for text in blocks("sound-and-containers.md", "text") if "context.modules" in text]
    configuration.write_text(block.replace("unix:/run/pulse/native", outlet.address))
    bus = f"unix:path={home}/bus"
    own = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "DBUS_SESSION_BUS_ADDRESS": bus}
    for name, listens in (("dbus-daemon", "bus"), ("pipewire", "pipewire-0"), ("wireplumber", None)):
        options = ["--session", "--nofork", f"--address={bus}"] if name == "dbus-daemon" else []
        process = stage.start(f"native-{name}", [name, *options], own)
        if listens:
            stage.await_listener(process, f"native-{name}", home / listens)
    until(lambda: "default.audio.sink" in stage.run(["pw-metadata"], own).stdout, "wireplumber to know its sink")
    stage.run(["pw-play", str(sounds / "tone.wav")], own).check_returncode()
    desk.close("radio")
    heard.assert_tones(heard.trimmed(heard.load(file)[0])[500:-500], 48_000, (440, 660))


@pytest.mark.parametrize("language", EXAMPLES)
def test_examples_are_well_formed(language):
    pages = [page for page in DOCS.glob("*.md") if f"```{language}\n" in page.read_text()]
    assert pages
    for page in pages:
        for block in blocks(page.name, language):
            EXAMPLES[language](block)


def test_few_blocks_are_not_typed():
    pages = [*PAGES, *[f"docs/{name}" for name in TYPED_BY_THEMSELVES]]
    found = {page: [block.says for block in blocks_of(ROOT / page) if block.how == "not typed"] for page in pages}
    assert {page: reasons for page, reasons in found.items() if reasons} == NOT_TYPED


def test_no_block_is_forgotten():
    assert {name: len(blocks_of(DOCS / name)) for name in TYPED_BY_THEMSELVES} == TYPED_BY_THEMSELVES
    for page in [ROOT / "README.md", *DOCS.glob("*.md")]:
        fenced = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
        unnamed = "".join(text for language, text in fenced if not language)
        assert not re.findall(r"^(?:eardrum|podman|bwrap|pactl) .*", unnamed, re.MULTILINE), page


def test_shell(typed):
    playing, recording = blocks("testing.md", "sh")
    done = typed(playing)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in (DOCS / "testing.md").read_text()
    done = typed(recording)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "440.0 Hz" in done.stdout


@pytest.mark.timeout(300)
def test_engines(typed, desktop, docker, rootfs, stage, tmp_path):
    """With docker's own command, not podman's under its name."""
    heard.write_wav(tmp_path / "tune.wav", heard.sine(440, 24_000, channels=2))
    tmp_path.chmod(0o755)
    script = "trap 'kill $terminals; wait' EXIT\n" + "".join(block.script() for block in blocks_of(DOCS / "engines.md"))
    done = typed(
        script,
        **desktop,
        PATH=f"{Path(EARDRUM).parent}:{stage.environment['PATH']}",
        EARDRUM_RUNTIME_DIR=str(stage.make_directory("engines")),
        DOCKER_HOST=docker,
        ROOT=str(rootfs.directory),
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_rooms(typed, desk, tmp_path):
    heard.write_wav(tmp_path / "greeting.wav", heard.sine(440, 48_000))
    done = typed("".join(block.script() for block in blocks_of(DOCS / "rooms.md")), **desk.environment)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("meeting.flac", "what-the-bot-hears.wav", "bell.wav"):
        assert (tmp_path / name).exists()


@pytest.mark.parametrize(("number", "recorded"), [(0, "meeting.wav"), (1, "all.wav")])
def test_serve(typed, tmp_path, number, recorded):
    done = typed(blocks("serve.md", "sh")[number])
    assert done.returncode == 0, done.stderr
    heard.assert_tones(heard.trimmed(heard.load(tmp_path / recorded)[0])[500:-500], RATES[recorded], (440, 440), 0.25)


def test_who_is_let_in(typed):
    done = typed(blocks("serve.md", "sh")[2])
    assert done.returncode == 0, done.stderr


def test_scripts_that_start_pulseaudio(typed):
    done = typed(blocks("serve.md", "sh")[3])
    assert done.returncode == 0, done.stderr
    assert "\tname: <meeting>\n" in done.stdout


def test_pytest(typed, tmp_path):
    for number, tests in enumerate(blocks("testing.md", "python")):
        (tmp_path / f"test_{number}.py").write_text(tests)
    done = typed("python -m pytest -q -p no:cacheprovider .")
    assert done.returncode == 0, done.stdout
    assert "6 passed" in done.stdout


@pytest.mark.parametrize("block", blocks("testing.md", "yaml"), ids=["github", "gitlab"])
def test_ci(typed, tmp_path, block):
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_it.py").write_text(blocks("testing.md", "python")[0])
    commands = re.findall(r"^ +- (?:run: )?(.+)$", block, re.MULTILINE)
    assert len(commands) >= 2
    done = typed("\n".join(commands))
    assert done.returncode == 0, done.stdout + done.stderr
