"""Where `eardrum serve` is, beside a real PulseAudio in the same place."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
from pathlib import Path

import pytest

from eardrum.kernel.x11 import root_window
from eardrum.testing import heard
from eardrum.testing.servers import EARDRUM, RATE, as_user, end, wait_until

OTHER = 4444  # uid and gid of nobody in particular
PULSEAUDIO = [
    "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--realtime=no", "--high-priority=no",
    "-L", f"module-null-sink sink_name=null rate={RATE} norewinds=1", "-L", "module-native-protocol-unix",
]  # fmt: skip
COMMANDS = {"pulseaudio": PULSEAUDIO, "eardrum": [EARDRUM, "serve"]}
NOT_OURS = {"pid"}  # PulseAudio's pid file; a server of ours has none


@pytest.fixture
def plays_and_records(stage, base, sounds, load, assert_tones):
    """With this before their command lines, paplay and parec find the same server, and one hears the other."""

    def check(before):
        place = base()
        place.chmod(0o777)
        shutil.copy(sounds / "tone.wav", place / "tone.wav")
        recorded = place / "heard.wav"
        parec = ["parec", f"--rate={RATE}", "--latency-msec=50", "--file-format=wav", str(recorded)]
        recording = stage.start("places-parec", [*before, *parec])
        wait_until(lambda: recorded.exists() and recorded.stat().st_size > 10_000, "parec to hear", 30)
        played = stage.run([*before, "paplay", str(place / "tone.wav")])
        assert (played.returncode, played.stderr) == (0, "")
        recording.send_signal(signal.SIGINT)
        assert recording.wait(30) == 0
        assert_tones(heard.trimmed(load(recorded)))

    return check


def said(variables: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in variables.items()]


def beside(process) -> list[str]:
    """The command line before that of a program that sees the /run of this process, and no session."""
    return ["nsenter", f"--mount=/proc/{process.pid}/ns/mnt", "env", "--unset=XDG_RUNTIME_DIR"]


def tree(root: Path) -> dict[str, tuple[int, int, int, str]]:
    """Owner, group, mode and target of all that lies below, without what is random in names."""
    found = {}
    for path in root.rglob("*"):
        there = path.lstat()
        if path.name in NOT_OURS:
            continue
        name, target = (
            re.sub(r"pulse-\w{12}", "pulse-*", text.removeprefix(str(root)))
            for text in (str(path), str(path.readlink()) if path.is_symlink() else "")
        )
        found[name] = (there.st_uid, there.st_gid, there.st_mode, target)
    return found


# -- places


USUAL = {
    "session": {"XDG_RUNTIME_DIR": "{0}/run"},
    "PULSE_RUNTIME_PATH": {"PULSE_RUNTIME_PATH": "{0}/own", "XDG_RUNTIME_DIR": "/proc/none"},
    "link": {},
    "link of another configuration": {"XDG_CONFIG_HOME": "{0}/config", "TMP": "{0}/run"},
    "PULSE_CONFIG_PATH": {"PULSE_CONFIG_PATH": "{0}/config"},
    "old home": {"HOME": "{0}/old"},
}


@pytest.mark.parametrize("variables", USUAL.values(), ids=USUAL)
def test_a_users_place_is_the_one_that_pulseaudio_makes(stage, base, started, variables):
    made, left, answers = [], [], []
    for name, command in COMMANDS.items():
        root = base()
        for directory in ("run", "home", "tmp", "old", "old/.pulse"):
            (root / directory).mkdir(mode=0o700)
        usual = {"HOME": str(root / "home"), "TMPDIR": str(root / "tmp")}
        around = {**usual, **{key: value.format(root) for key, value in variables.items()}}
        process = started(f"place-{name}", command, **around)
        wait_until(lambda root=root: any(path.is_socket() for path in root.rglob("native")), f"{name} in {root}", 30)
        asked = ["env", "--unset=XDG_RUNTIME_DIR", *said(around), "pactl", "info"]
        wait_until(lambda asked=asked: not stage.run(asked).returncode, f"{name} to answer", 30)
        answers.append(re.sub(r"pulse-\w{12}", "", stage.run(asked).stdout.splitlines()[0].replace(str(root), "")))
        second = stage.run(["env", "--unset=XDG_RUNTIME_DIR", *said(around), EARDRUM, "serve"])
        assert "a server is running there already" in second.stderr
        made.append(tree(root))
        end(process)
        left.append(tree(root))
    pulseaudios, ours = made
    assert ours == pulseaudios
    assert left[0] == left[1]
    assert answers[0] == answers[1]
    assert any(stat.S_ISSOCK(mode) for _, _, mode, _ in ours.values())


@pytest.mark.parametrize("variables", [USUAL["session"], USUAL["link"]], ids=["session", "link"])
def test_a_users_programs_find_it_by_themselves(base, started, plays_and_records, variables):
    root = base()
    for directory in ("run", "home"):
        (root / directory).mkdir(mode=0o700)
    around = {"HOME": str(root / "home"), "TMPDIR": str(root)}
    around |= {key: value.format(root) for key, value in variables.items()}
    started("found", COMMANDS["eardrum"], **around)
    wait_until(lambda: any(path.is_socket() for path in root.rglob("native")), "the server", 30)
    plays_and_records(["env", "--unset=XDG_RUNTIME_DIR", *said(around)])


@pytest.fixture
def system(started):
    """Starts a server for the whole system, on a /run and /var/lib of its own; the process and where its /run is."""

    def start(name):
        private = "mount -t tmpfs -o mode=755 none /run && mount -t tmpfs -o mode=755 none /var/lib"
        command = [*COMMANDS[name][:1], "--system", *COMMANDS[name][1:]]
        if name == "eardrum":
            command = [EARDRUM, "serve", "--system"]
        line = ["unshare", "--mount", "--propagation=private", "sh", "-c", f'{private} && exec "$@"', "sh", *command]
        process = started(f"system-{name}", line, HOME="/root")
        run = Path(f"/proc/{process.pid}/root/run")
        wait_until((run / "pulse/native").is_socket, f"{name} at /run/pulse/native", 30)
        return process, run

    return start


def test_the_systems_place_is_the_one_that_pulseaudio_makes(stage, system):
    made, rights, let_in = [], [], []
    for name in COMMANDS:
        process, run = system(name)
        cookie = run / "pulse/.config/pulse/cookie"
        wait_until(lambda cookie=cookie: cookie.exists() and cookie.stat().st_size == 256, "the cookie", 30)
        made.append(tree(run / "pulse"))
        there = (run / "pulse").stat()
        made[-1][""] = (there.st_uid, there.st_gid, there.st_mode, "")
        status = Path(f"/proc/{process.pid}/status").read_text()
        rights.append(re.findall(r"^((?:Uid|Gid|Groups|CapInh|CapPrm|CapEff|CapAmb):.*?)\s*$", status, re.MULTILINE))
        pulse, access = there.st_uid, int(stage.run(["getent", "group", "pulse-access"]).stdout.split(":")[2])
        callers = [[], as_user(OTHER), as_user(OTHER, access), as_user(pulse), as_user(0, 0)]
        callers = [[*caller, "env", "HOME=/proc/none"] for caller in callers]
        callers.append(["env", "HOME=/proc/none", "PULSE_COOKIE=/run/pulse/.config/pulse/cookie"])
        asked = [stage.run([*beside(process), *caller, "pactl", "info"]) for caller in callers]
        let_in.append([not done.returncode for done in asked])
        assert all("Access denied" in done.stderr for done in asked if done.returncode)
        end(process)
    assert made[1] == made[0]
    assert rights[1] == rights[0]
    assert let_in[1] == let_in[0] == [False, False, True, True, False, True]


def test_a_members_programs_find_the_systems_server_by_themselves(stage, system, base, plays_and_records):
    process, _ = system("eardrum")
    home = base()
    home.chmod(0o777)
    member = as_user(OTHER, OTHER, int(stage.run(["getent", "group", "pulse-access"]).stdout.split(":")[2]))
    plays_and_records([*beside(process), *member, "env", f"HOME={home}"])


# -- the X display


NAMES = ("PULSE_SERVER", "PULSE_ID", "PULSE_SESSION_ID", "PULSE_COOKIE", "PULSE_SINK", "PULSE_SOURCE")


@pytest.fixture
def display(stage, request):
    """An X display that lets in every user; `-terminate`, as its option, makes it end with its last client."""
    reader, writer = os.pipe()
    argv = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "64x64x24", "-nolisten", "tcp", "-ac", request.param]
    process = stage.start("serve-display", argv, pass_fds=[writer])
    os.close(writer)
    with os.fdopen(reader) as told:
        yield f":{told.readline().strip()}"
    end(process)


@pytest.mark.parametrize("display", ["-noreset"], indirect=True)
@pytest.mark.parametrize("session", [{}, {"XDG_SESSION_ID": "c5"}], ids=["no session", "session"])
def test_what_lies_on_the_display_is_what_pulseaudio_puts_there(stage, base, started, display, session):
    published = []
    for name, command in COMMANDS.items():
        place = base()
        more = {"pulseaudio": ["-L", "module-x11-publish"], "eardrum": ["--x11"]}[name]
        variables = {"HOME": str(place), "PULSE_RUNTIME_PATH": str(place / "own"), "DISPLAY": display, **session}
        process = started(f"x11-{name}", [*command, *more], **variables)
        found = wait_until(lambda: root_window(display, NAMES, 30).get("PULSE_COOKIE"), f"{name} on the display", 30)
        assert found == (place / ".config/pulse/cookie").read_bytes().hex()
        (place / "own").chmod(0o755)
        remote = ["env", "--unset=XDG_RUNTIME_DIR", "HOME=/proc/none", "SSH_CONNECTION=far", f"DISPLAY={display}"]
        asked = stage.run([*as_user(OTHER), *remote, "pactl", "info"])
        assert (asked.returncode, asked.stdout.splitlines()[0].split("unix:")[-1]) == (0, f"{place}/own/native")
        texts = root_window(display, NAMES, 30)
        for varies, what in {str(place): "PLACE", found: "COOKIE", str(process.pid): "PID"}.items():
            texts = {key: text.replace(varies, what) for key, text in texts.items()}
        published.append(texts)
        end(process)
        assert root_window(display, NAMES, 30) == {}
    assert published[1] == published[0]


@pytest.mark.parametrize("display", ["-terminate"], indirect=True)
def test_what_another_server_put_on_the_display_stays(stage, base, started, display):
    places = [base(), base()]
    processes = []
    for number, place in enumerate(places):
        variables = {"HOME": str(place), "PULSE_RUNTIME_PATH": str(place), "DISPLAY": display}
        processes.append(started(f"x11-{number}", [EARDRUM, "serve", "--x11"], **variables))
        wait_until(lambda number=number: "serving at" in stage.log(f"x11-{number}"), "the server", 30)
    end(processes[0])
    assert str(places[1]) in root_window(display, NAMES, 30)["PULSE_SERVER"]


# -- what cannot be


def test_what_cannot_be_is_one_line_and_changes_nothing(stage, base):
    place = base()
    for name, mode in {"mine": 0o700, "open": 0o777, "others": 0o700}.items():
        (place / name).mkdir()
        (place / name).chmod(mode)
    os.chown(place / "others", OTHER, OTHER)
    (place / "link").symlink_to("mine")
    (place / "short").write_bytes(bytes(255))
    (place / "no-socket").write_text("mine")
    before = tree(place)

    def complaint(*words: str, **variables: str) -> str:
        done = stage.run(["env", "--unset=XDG_RUNTIME_DIR", *said(variables), EARDRUM, "serve", *words])
        assert done.returncode in (1, 2), done
        (line,) = done.stderr.splitlines()
        return line

    a = f"{place}/a"
    assert f"{place}/others: belongs to uid {OTHER}" in complaint(PULSE_RUNTIME_PATH=f"{place}/others")
    assert f"{place}/others: belongs to uid {OTHER}" in complaint(XDG_RUNTIME_DIR=f"{place}/others")
    assert f"{place}/open: others may write to it (mode 0777)" in complaint(PULSE_RUNTIME_PATH=f"{place}/open")
    assert f"{place}/link: a link or no directory" in complaint(PULSE_RUNTIME_PATH=f"{place}/link")
    assert "group 'wombats': no such group" in complaint("--socket", f"{a},auth=group:wombats")
    assert "holds 255 bytes, a cookie has 256" in complaint("--socket", f"{a},auth=cookie:{place}/short")
    assert f"{place}: no cookie can be read" in complaint("--socket", f"{a},auth=cookie:{place}")
    assert "longer than 107 bytes" in complaint("--socket", f"{a}{'n' * 107}")
    assert "something that is no socket lies there" in complaint("--socket", f"{place}/no-socket")
    assert "there is no DISPLAY" in complaint("--x11", "--socket", a, DISPLAY="")
    assert "DISPLAY :4711: No such file or directory" in complaint("--x11", "--socket", a, DISPLAY=":4711")
    assert tree(place) == before
