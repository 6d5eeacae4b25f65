"""`eardrum paths` says where stock `pactl info` really connects to: set-up by set-up, in a machine of its own each.

Every set-up is a bubblewrap with an empty /run, /etc/pulse and /home, in which a few lines of shell make what it needs.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import eardrum
from eardrum.kernel.x11 import root_window
from eardrum.testing.servers import EARDRUM, accepts, end, wait_until

STRANGER = 12345  # a uid that nobody has
USER = "/run/user/0"
SYSTEM = "/var/run/pulse/native"
HOME = "/home/ann"
CONFIG = f"{HOME}/.config/pulse"
MACHINE = "0123456789abcdef0123456789abcdef"
REFUSED, STUCK, NOBODY = "refused", "stuck", "nobody"


@dataclass(frozen=True)
class SetUp:
    """`winner` is the address that is connected to; `ends` tells how, if no server says its name then."""

    name: str
    winner: str | None
    environment: dict[str, str | None] = field(default_factory=lambda: environment())
    script: str = ""
    ends: str = ""
    stranger: bool = False  # uid and gid are nobody's, and there is no entry of theirs


def socket_in(directory: str, number: int) -> str:
    """A directory with the socket of a server in it."""
    return f"mkdir -p -m 700 {directory}; ln -sfn $SERVER_{number}/native {directory}/native; "


def written(path: str, *lines: str) -> str:
    """A file, and the directories above it."""
    return f"mkdir -p -m 700 $(dirname {path}); printf '%s\\n' {' '.join(map(repr, lines))} > {path}; "


def linked(path: str, target: str = "/run/linked") -> str:
    """A symbolic link, and the directories above it."""
    return f"mkdir -p -m 700 $(dirname {path}); ln -s {target} {path}; "


def environment(**variables: str | None) -> dict[str, str | None]:
    """The usual variables and these; None: not set."""
    return {"HOME": HOME, "XDG_RUNTIME_DIR": USER, **variables}


def at_home(**variables: str | None) -> dict[str, str | None]:
    """As `environment`, without a runtime directory."""
    return environment(XDG_RUNTIME_DIR=None, **variables)


OWN, OTHER, SYSTEMS = socket_in(f"{USER}/pulse", 1), socket_in("/run/other", 2), socket_in("/run/pulse", 3)
LINKED = socket_in("/run/linked", 2)
ELSEWHERE, DEAD = "default-server = /run/other/native", "default-server = /run/dead"
OWN_SOCKET, OTHER_SOCKET, LINKED_SOCKET = f"{USER}/pulse/native", "/run/other/native", "/run/linked/native"
LINK, CONF, ETC = f"{CONFIG}/{MACHINE}-runtime", f"{CONFIG}/client.conf", "/etc/pulse/client.conf"
LONG = f"/run/{'x' * 100}"
GUARDED = environment(PULSE_SERVER="{guarded}/native /run/other/native")
BISCUIT = f"mkdir -p -m 700 {CONFIG}; cp {{guarded}}/cookie {CONFIG}/cookie; "

SET_UPS = (
    # the usual places
    SetUp("nothing-anywhere", None, ends=NOBODY),
    SetUp("runtime-directory-before-the-system", OWN_SOCKET, script=OWN + SYSTEMS),
    SetUp("the-system-alone", SYSTEM, script=SYSTEMS),
    SetUp("a-runtime-path", OTHER_SOCKET, environment(PULSE_RUNTIME_PATH="/run/other"), OWN + OTHER + SYSTEMS),
    SetUp("a-runtime-path-of-nothing", SYSTEM, environment(PULSE_RUNTIME_PATH=""), OWN + SYSTEMS),
    SetUp("a-link-in-the-home-directory", LINKED_SOCKET, at_home(), LINKED + linked(LINK) + SYSTEMS),
    SetUp("the-old-link", LINKED_SOCKET, at_home(), LINKED + linked(f"{HOME}/.pulse/{MACHINE}-runtime") + SYSTEMS),
    SetUp("a-link-to-an-open-directory", SYSTEM, at_home(), LINKED + "chmod 755 /run/linked;" + linked(LINK) + SYSTEMS),
    SetUp("a-link-of-another-machine", SYSTEM, at_home(), LINKED + linked(f"{CONFIG}/{'f' * 32}-runtime") + SYSTEMS),
    SetUp(
        "a-link-below-another-config-home",
        LINKED_SOCKET,
        at_home(XDG_CONFIG_HOME="/run/conf"),
        LINKED + linked(f"/run/conf/pulse/{MACHINE}-runtime") + SYSTEMS,
    ),
    SetUp("a-runtime-directory-that-is-a-link", SYSTEM, script=OTHER + SYSTEMS + linked(f"{USER}/pulse", "/run/other")),
    SetUp("somebody-elses-runtime-directory", SYSTEM, script=OWN + f"chown 7 {USER};" + SYSTEMS),
    SetUp("somebody-elses-home-directory", SYSTEM, at_home(), f"chown 7 {HOME};" + SYSTEMS),
    SetUp("no-home-directory", SYSTEM, at_home(HOME=""), SYSTEMS + OTHER + written(ETC, ELSEWHERE)),
    SetUp("a-home-that-is-no-directory", SYSTEM, at_home(HOME="/dev/null"), SYSTEMS + OTHER + written(ETC, ELSEWHERE)),
    # PULSE_SERVER
    SetUp(
        "a-list-whose-first-is-dead",
        "unix:/run/other/native",
        environment(PULSE_SERVER=" /run/dead  unix:/run/other/native /run/pulse/native"),
        OWN + OTHER + SYSTEMS,
    ),
    SetUp(
        "addresses-for-machines",
        f"{{{MACHINE}}}unix:/run/other/native",
        environment(PULSE_SERVER=f"{{other}}unix:/run/pulse/native {{{MACHINE}}}unix:/run/other/native"),
        OWN + OTHER + SYSTEMS,
    ),
    SetUp(
        "addresses-that-are-none",
        OTHER_SOCKET,
        environment(PULSE_SERVER="{half piano:x [::1 /run/other/native"),
        OWN + OTHER,
    ),
    SetUp("a-list-of-nothing", None, environment(PULSE_SERVER=""), OWN, ends=NOBODY),
    SetUp(
        "a-path-that-is-too-long",
        OTHER_SOCKET,
        environment(PULSE_SERVER=f"{LONG}/native /run/other/native"),
        OTHER + socket_in(LONG, 1),
    ),
    SetUp(
        "over-the-network",
        "tcp:127.0.0.1:{port}",
        environment(PULSE_SERVER="tcp:127.0.0.1:1 tcp:127.0.0.1:{port} /run/other/native"),
        OTHER,
    ),
    SetUp(
        "before-client-conf",
        OTHER_SOCKET,
        environment(PULSE_SERVER="/run/other/native"),
        OWN + OTHER + written(ETC, DEAD),
    ),
    # client.conf
    SetUp(
        "default-server",
        "unix:/run/other/native",
        script=OWN + OTHER + written(ETC, "default-server = unix:/run/other/native # ours"),
    ),
    SetUp("a-piece", OTHER_SOCKET, script=OWN + OTHER + written(ETC, DEAD) + written(f"{ETC}.d/1.conf", ELSEWHERE)),
    SetUp(
        "ones-own",
        OTHER_SOCKET,
        environment(XDG_CONFIG_HOME="/run/conf"),
        OWN + OTHER + written(CONF, ELSEWHERE) + written("/run/conf/pulse/client.conf", DEAD) + written(ETC, DEAD),
    ),
    SetUp(
        "by-name",
        OTHER_SOCKET,
        environment(PULSE_CLIENTCONFIG="/run/my.conf"),
        OWN + OTHER + written("/run/my.conf", ELSEWHERE),
    ),
    SetUp(
        "by-directory",
        OTHER_SOCKET,
        environment(PULSE_CONFIG_PATH="/run/conf"),
        OWN + OTHER + written("/run/conf/client.conf", ELSEWHERE),
    ),
    SetUp(
        "by-a-name-that-is-none",
        OWN_SOCKET,
        environment(PULSE_CLIENTCONFIG="/run/gone.conf"),
        OWN + OTHER + written(ETC, ELSEWHERE),
    ),
    SetUp("a-wrong-line-before", OWN_SOCKET, script=OWN + OTHER + written(ETC, "autospwan = no", ELSEWHERE)),
    SetUp("a-wrong-line-behind", OTHER_SOCKET, script=OWN + OTHER + written(ETC, ELSEWHERE, "autospawn = never")),
    # X11
    SetUp("over-ssh", "unix:{two}/native", environment(DISPLAY="{display}", SSH_CONNECTION="a 1 b 2"), OWN),
    SetUp("on-ones-own-display", OWN_SOCKET, environment(DISPLAY="{display}"), OWN),
    # cookies
    SetUp("by-nothing", "{guarded}/native", GUARDED, OTHER, ends=REFUSED),
    SetUp("by-a-cookie", "{guarded}/native", {**GUARDED, "PULSE_COOKIE": "{guarded}/cookie"}, OTHER),
    SetUp("by-a-cookie-file", "{guarded}/native", GUARDED, written(ETC, "cookie-file = {guarded}/cookie")),
    SetUp("by-the-usual-cookie", "{guarded}/native", {**GUARDED, "PULSE_CONFIG_PATH": "/run/conf"}, BISCUIT),
    SetUp("by-a-displays-cookie", "{guarded}/native", {**GUARDED, "DISPLAY": "{display}", "SSH_CONNECTION": "a 1 b 2"}),
    SetUp(
        "by-a-cookie-that-is-too-short",
        "{guarded}/native",
        {**GUARDED, "PULSE_COOKIE": "/run/short"},
        BISCUIT + written("/run/short", "crumb"),
        ends=REFUSED,
    ),
    # servers that do not answer
    SetUp(
        "one-that-says-nothing",
        "{stuck}/native",
        environment(PULSE_SERVER="{stuck}/native /run/other/native"),
        OTHER,
        ends=STUCK,
    ),
    SetUp(
        "one-that-too-many-wait-for",
        OTHER_SOCKET,
        environment(PULSE_SERVER="{full}/native /run/other/native"),
        OTHER,
    ),
    # a uid without a name
    SetUp("a-stranger", SYSTEM, at_home(HOME=None), SYSTEMS + OTHER + written(ETC, ELSEWHERE), stranger=True),
    SetUp("a-stranger-in-the-root", SYSTEM, at_home(HOME="/proc"), SYSTEMS, stranger=True),
    SetUp("a-stranger-with-a-runtime-directory", OWN_SOCKET, script=OWN + SYSTEMS, stranger=True),
    SetUp(
        "a-stranger-starts-one",
        None,
        script=written(ETC, "daemon-binary = /bin/false", "autospawn = yes"),
        ends=NOBODY,
        stranger=True,
    ),
)


@pytest.fixture(scope="module")
def guarded():
    """The directory of a PulseAudio of another user, which takes who knows its cookie."""
    directory = Path(tempfile.mkdtemp(prefix="eardrum-guarded-"))
    directory.chmod(0o755)
    for name in ("run", "home"):
        (directory / name).mkdir()
        os.chown(directory / name, STRANGER, STRANGER)
    (directory / "cookie").write_bytes(os.urandom(256))
    (directory / "cookie").chmod(0o444)
    argv = ["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups", "pulseaudio", "-n"]
    argv += ["--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--realtime=no", "--high-priority=no"]
    argv += ["-L", "module-null-sink sink_name=guarded"]
    argv += ["-L", f"module-native-protocol-unix socket={directory}/run/native auth-cookie={directory}/cookie"]
    environment = {"PATH": os.environ["PATH"], "HOME": f"{directory}/home", "XDG_RUNTIME_DIR": f"{directory}/run"}
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(argv, env=environment, stderr=log, start_new_session=True)
    try:
        wait_until(lambda: accepts(directory / "run/native"), (directory / "log").read_text(), 30)
        (directory / "native").symlink_to("run/native")
        yield directory
    finally:
        end(process)
        shutil.rmtree(directory)


@pytest.fixture(scope="module")
def tongue_tied(stage):
    """Two directories with sockets that take a connection and say nothing, and that take no connection any more."""
    with contextlib.ExitStack() as stack:
        directories = []
        for name in ("stuck", "full"):
            directories.append(stage.make_directory(name))
            listening = stack.enter_context(socket.socket(socket.AF_UNIX))
            listening.bind(str(directories[-1] / "native"))
            listening.listen(64 if name == "stuck" else 0)
        with contextlib.suppress(BlockingIOError):
            while True:
                waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
                waiting.setblocking(False)
                waiting.connect(str(directories[-1] / "native"))
        yield directories


@pytest.fixture(scope="module")
def display(stage, servers, guarded):
    """A screen whose root window names the second server, and has the cookie of the guarded one."""
    reader, writer = os.pipe()
    argv = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "64x64x24", "-nolisten", "tcp", "-noreset"]
    process = stage.start("paths-screen", argv, pass_fds=[writer])
    os.close(writer)
    with os.fdopen(reader) as told:
        name = f":{told.readline().strip()}"
    publish = ["pax11publish", "-D", name, "-e", "-S", f"unix:{servers[1]}/native", "-c", str(guarded / "cookie")]

    def published():  # it hangs up at once, and then a screen may leave out the last that it said
        stage.run(publish).check_returncode()
        return len(root_window(name, ("PULSE_SERVER", "PULSE_COOKIE"), 5)) == 2

    wait_until(published, "the properties", 30)
    yield name
    end(process)


@pytest.fixture(scope="module")
def servers(stage, pipewire_pulse):
    """Directories with a `native`: PulseAudio, eardrum serve, pipewire-pulse."""
    addresses = [stage.pulseaudio("paths-first").address, stage.serve("paths-second").address, pipewire_pulse.address]
    return [Path(address.removeprefix("unix:")).parent for address in addresses]


@pytest.fixture(scope="module")
def port(stage, servers):
    """Where the first server also listens on the network."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    module = ["load-module", "module-native-protocol-tcp", f"port={number}", "listen=127.0.0.1", "auth-anonymous=1"]
    stage.pactl(f"unix:{servers[0]}/native", *module)
    return number


@pytest.fixture
def machine(stage, servers, guarded, tongue_tied, display, port, tmp_path):
    """Runs a command in a set-up."""
    (tmp_path / "machine-id").write_text(f"{MACHINE}\n")
    told = {"guarded": guarded, "display": display, "port": port, "two": servers[1]}
    told |= {"stuck": tongue_tied[0], "full": tongue_tied[1]}

    def fill(text):
        for name, value in told.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    def run(setup, *command):
        argv = ["bwrap", "--dev-bind", "/", "/", "--die-with-parent", "--clearenv"]
        for path in ("/run", "/etc/pulse", "/home"):
            argv += ["--tmpfs", path]
        for path in (HOME, "/run/user", USER):
            argv += ["--dir", path]
        for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
            argv += ["--ro-bind", str(tmp_path / "machine-id"), path]
        argv += ["--unshare-user", "--uid", str(STRANGER), "--gid", str(STRANGER)] if setup.stranger else []
        variables = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **setup.environment}
        variables |= {f"SERVER_{number}": str(path) for number, path in enumerate(servers, 1)}
        for name, value in variables.items():
            argv += ["--setenv", name, fill(value)] if value is not None else []
        script = f'{fill(setup.script)}\nexec "$@"'
        return subprocess.run([*argv, "sh", "-ec", script, "sh", *command], capture_output=True, text=True, timeout=60)

    run.fill = fill
    return run


@pytest.mark.parametrize("setup", SET_UPS, ids=lambda setup: setup.name)
def test_the_winner_is_where_pactl_connects_to(machine, setup):
    patience = "1s" if setup.ends == STUCK else "30s"
    said = machine(setup, EARDRUM, "paths", "--json", "--patience", patience)
    assert said.stdout, said.stderr
    report = json.loads(said.stdout)
    winner = report["winner"]
    pactl = machine(setup, "timeout", "3" if setup.ends == STUCK else "50", "pactl", "info")
    told = dict(line.split(": ", 1) for line in pactl.stdout.splitlines() if ": " in line)
    assert (winner and winner["address"]) == (setup.winner and machine.fill(setup.winner)), said.stdout + said.stderr
    assert said.returncode == (1 if setup.ends else 0)
    if not setup.ends:
        assert told["Server String"] == winner["address"].rpartition("}")[2], pactl.stderr
        assert (told["Server Name"], told["Server Version"]) == (
            winner["answer"]["server"],
            winner["answer"]["version"],
        )
        assert told["Server Protocol Version"] == str(winner["answer"]["protocol"])
        return
    assert told == {}
    match setup.ends:
        case "stuck":
            assert pactl.returncode == 124, pactl.stderr
            assert "no answer" in winner["answer"]["problem"]
        case "refused":
            assert "Access denied" in pactl.stderr
            assert "Access denied" in winner["answer"]["problem"]
        case "nobody":
            assert "Connection refused" in pactl.stderr or "Invalid server" in pactl.stderr
            assert "Invalid server" not in pactl.stderr or "Invalid server" in said.stderr
    assert bool(report["autospawns"]) == ("autospawn = yes" in setup.script)


def everything_below(*directories):
    """A shell command that prints all that could change."""
    return f"find {' '.join(directories)} -printf '%p %y %l %m %U %G %s %T@\\n' | sort"


@pytest.mark.parametrize("setup", SET_UPS[:6], ids=lambda setup: setup.name)
def test_it_changes_nothing(machine, setup):
    look = everything_below("/run", "/home", "/etc/pulse")
    script = (
        f"{look} > /dev/shm/eardrum-$$; $0 paths >&2 || :; {look} | diff /dev/shm/eardrum-$$ -; rm /dev/shm/eardrum-$$"
    )
    done = machine(setup, "sh", "-c", script, EARDRUM)
    assert "Where a client looks" in done.stderr
    assert (done.returncode, done.stdout) == (0, "")


def test_it_starts_no_server_where_a_client_would(machine, tmp_path):
    marker = tmp_path / "started"
    daemon = written("/run/daemon", "#!/bin/sh", f"touch {marker}") + "chmod 755 /run/daemon; "
    setup = SetUp(
        "", None, script=daemon + written(ETC, "daemon-binary = /run/daemon", "autospawn = yes"), stranger=True
    )
    said = machine(setup, EARDRUM, "paths", "--patience", "30s")
    assert "then it starts /run/daemon (autospawn)" in " ".join(said.stdout.split())
    assert not marker.exists()
    tried = machine(setup, "pactl", "info")
    assert marker.exists(), tried.stderr


def test_people_can_read_it_on_an_ordinary_terminal(machine):
    setup = next(setup for setup in SET_UPS if setup.name == "a-list-whose-first-is-dead")
    said = machine(setup, EARDRUM, "paths", "--patience", "30s")
    assert said.stderr == ""
    assert [line for line in said.stdout.splitlines() if len(line) > 80 and " " in line.strip()] == []
    words = " ".join(said.stdout.split())
    assert words.startswith("A client of root (uid 0) connects to unix:/run/other/native, eardrum ")
    assert "PULSE_SERVER names it, and number 2 is the first that takes a connection." in words
    assert ": socket root:root 0600, in directory root:root 0700 answers: eardrum " in words


@pytest.mark.parametrize(
    ("environment_", "script", "complaint"),
    [
        ({}, written(ETC, "", "autospwan = no"), f"{ETC}:2: there is no key 'autospwan'"),
        ({}, f"mkdir -p {ETC}", f"{ETC}: Is a directory"),
        ({"PULSE_CLIENTCONFIG": "/run/gone.conf"}, "", "/run/gone.conf: No such file or directory"),
        ({"PULSE_SERVER": "piano:x /run/other/native"}, "", "PULSE_SERVER: piano:x: 'x' is no port"),
        ({"PULSE_SERVER": ""}, "", 'PULSE_SERVER: "": names nothing'),
        ({"DISPLAY": "wall"}, "", "DISPLAY wall: is no display"),
    ],
)
def test_wrong_input_is_one_line_and_the_rest_is_shown(machine, environment_, script, complaint):
    said = machine(
        SetUp("", None, environment(**environment_), OWN + OTHER + script), EARDRUM, "paths", "--patience", "30s"
    )
    assert said.stderr.startswith(f"eardrum: {complaint}")
    assert said.stderr.count("\n") == 1
    assert "Where it does not look" in said.stdout
    assert "answers: " in said.stdout


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, SYSTEM),
        ({"HOME": "/"}, SYSTEM),
        ({"PULSE_SERVER": "unix:/run/pulse/native"}, "unix:/run/pulse/native"),
        ({"XDG_RUNTIME_DIR": "/run/user"}, SYSTEM),  # where the outlet is too, but the directory is not the client's
        ({"PULSE_RUNTIME_PATH": "/run/pulse"}, SYSTEM),
    ],
)
def test_in_a_container(desk, variables, expected):
    """With an outlet and nothing but programs: no user, no home directory, no machine-id, nothing to write to."""
    outlet = desk.open("contained", output="null")
    argv = ["bwrap", "--unshare-all", "--die-with-parent", "--clearenv", "--uid", str(STRANGER), "--gid", str(STRANGER)]
    argv += ["--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--dir", "/run"]
    for name in ("bin", "lib", "lib64"):
        argv += ["--symlink", f"usr/{name}", f"/{name}"]
    argv += ["--symlink", "../run", "/var/run"]
    for path in ("/run/pulse", "/run/user/pulse"):
        argv += ["--ro-bind", str(outlet.directory), path]
    for path in (sys.base_prefix, sys.prefix, str(Path(eardrum.__file__).parents[1])):
        argv += [] if path.startswith("/usr") else ["--ro-bind", path, path]
    argv += ["--remount-ro", "/", "--setenv", "PATH", "/usr/bin"]
    for name, value in variables.items():
        argv += ["--setenv", name, value]
    said = subprocess.run(
        [*argv, EARDRUM, "paths", "--json", "--patience", "30s"], capture_output=True, text=True, timeout=60
    )
    pactl = subprocess.run([*argv, "pactl", "info"], capture_output=True, text=True, timeout=60)
    assert said.stdout, said.stderr
    winner = json.loads(said.stdout)["winner"]
    assert f"Server String: {expected}\n" in pactl.stdout, pactl.stderr
    assert (winner["address"], winner["answer"]["server"]) == (expected, "eardrum")
