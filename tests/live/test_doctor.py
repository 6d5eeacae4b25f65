"""`eardrum doctor` names what is wrong: each set-up is broken on purpose, in a real container."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
from pathlib import Path

import pytest

from eardrum.kernel.process_view import visitors
from eardrum.protocol.catalog import Error
from eardrum.protocol.codec import packet
from eardrum.terms.errors import PulseError
from eardrum.testing.rootfs import PLAYER
from eardrum.testing.servers import end, wait_until

ALSA = {"ALSA_CONFIG_PATH": "/usr/share/alsa/alsa.conf:/tmp/asound.conf"}


@pytest.fixture(scope="module")
def desk(stage):
    """One desk for all; who spoils it has one of its own."""
    desk = stage.desk()
    yield desk
    end(desk.process)


@pytest.fixture(scope="module")
def web(desk):
    return desk.open("web", output="null")


@pytest.fixture(scope="module")
def asound(stage):
    path = stage.directory / "asound.conf"
    path.write_text("pcm.!default { type pulse }\n")
    return path


@pytest.fixture
def sandbox(stage, rootfs, asound):
    """Starts a container that sleeps; `sandbox(*options, root=…, **environment)` returns its pid. bwrap's options."""
    running = []

    def start(*options, root=rootfs.directory, command=(), **environment):
        variables = [word for pair in {**ALSA, **environment}.items() for word in ("--setenv", *pair)]
        argv = ["bwrap", "--unshare-all", "--clearenv", *variables, "--ro-bind", str(root), "/", "--proc", "/proc"]
        argv += ["--dev", "/dev", "--tmpfs", "/run", "--tmpfs", "/tmp", "--ro-bind", str(asound), "/tmp/asound.conf"]
        process = stage.start("sandbox", [*argv, *map(str, options), "/usr/bin/sleep", "1000"])
        running.append(process)
        return sleeper(process)

    yield start
    for process in running:
        end(process)


def sleeper(process) -> int:
    """The pid of the sleep below this process, once it is there."""
    found = []

    def look(pid):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            try:
                if Path(f"/proc/{child}/comm").read_text() == "sleep\n":
                    found.append(int(child))
                look(child)
            except OSError:
                continue
        return found

    wait_until(lambda: look(process.pid), "the container to sleep")
    return found[0]


@pytest.fixture
def findings(desk):
    """What the doctor of that desk finds, by code; `findings("web")`, `findings(pid=…)`."""

    def find(name=None, pid=None, desk=desk, patience="20s"):
        whom = ["--pid", str(pid)] if pid else [name]
        done = desk.command("doctor", "--json", "--patience", patience, *whom)
        told = json.loads(done.stdout)["findings"]
        assert done.returncode == (1 if told else 0), done.stderr
        assert all(set(one) == {"about", "code", "what", "mend"} and one["mend"] for one in told)
        return {one["code"]: one["what"] for one in told}

    return find


def outlet_at(directory, place="/run/pulse"):
    return ("--ro-bind", directory, place)


def test_a_container_that_has_an_outlet_and_nothing_else_is_well(sandbox, web, findings):
    assert findings(pid=sandbox(*outlet_at(web.directory))) == {}


def test_people_read_what_was_looked_at_and_what_mends_it(sandbox, web, desk):
    pid = sandbox(*outlet_at(web.directory))
    assert desk.command("doctor", "web").stdout == f"outlet web: well\nprocess {pid} (sleep): well\n"
    pid = sandbox(*outlet_at(web.directory), PULSE_SERVER="tcp:localhost")
    said = desk.command("doctor", "--pid", str(pid))
    assert said.returncode == 1
    first, finding, mend = said.stdout.splitlines()
    assert first == f"process {pid} (sleep):"
    assert finding.startswith("  network-address: PULSE_SERVER names tcp:localhost")
    assert mend.startswith("    mend: mount the directory that `eardrum open` prints at /run/pulse")


# -- what a container lacks


def test_nothing_is_mounted(sandbox, findings):
    assert set(findings(pid=sandbox())) == {"no-socket"}


def test_pulse_server_names_a_path_where_nothing_is(sandbox, web, findings):
    pid = sandbox(*outlet_at(web.directory), PULSE_SERVER="unix:/nowhere/native")
    assert "/nowhere/native (PULSE_SERVER)" in findings(pid=pid)["no-socket"]


def test_pulse_server_names_a_network(sandbox, web, findings):
    assert set(findings(pid=sandbox(*outlet_at(web.directory), PULSE_SERVER="tcp:host:4713"))) == {"network-address"}


def test_pulse_server_names_nothing_that_libpulse_understands(sandbox, web, findings):
    pid = sandbox(*outlet_at(web.directory), PULSE_SERVER="{another-machine}unix:/run/pulse/native")
    assert set(findings(pid=pid)) == {"passed-over"}


def test_the_engine_made_a_directory_where_the_source_of_the_mount_was_missing(sandbox, findings, tmp_path):
    (tmp_path / "native").mkdir()
    assert set(findings(pid=sandbox(*outlet_at(tmp_path)))) == {"no-socket-but"}


def test_the_socket_was_mounted_alone(sandbox, web, findings):
    pid = sandbox("--dir", "/run/pulse", *outlet_at(web.directory / "native", "/run/pulse/native"))
    assert set(findings(pid=pid)) == {"socket-mount"}


def test_the_socket_was_mounted_alone_and_its_desk_was_started_again(sandbox, stage, findings):
    desk = stage.desk()
    outlet = desk.open("web", output="null")
    pid = sandbox("--dir", "/run/pulse", *outlet_at(outlet.directory / "native", "/run/pulse/native"))
    end(desk.process)
    again = stage.desk(runtime=desk.runtime)
    assert set(findings(pid=pid)) == {"stale-socket-mount"}
    assert set(findings("web", desk=again)) == {"stale-socket-mount"}
    end(again.process)


def test_the_directory_was_removed_and_made_again(sandbox, stage, findings):
    desk = stage.desk()
    outlet = desk.open("web", output="null")
    pid = sandbox(*outlet_at(outlet.directory))
    desk.close("web")
    desk.open("web", output="null")
    assert set(findings(pid=pid)) == {"stale-directory-mount"}
    assert set(findings("web", desk=desk)) == {"stale-directory-mount"}
    end(desk.process)


def test_the_desk_has_ended(sandbox, stage, findings):
    desk = stage.desk()
    pid = sandbox(*outlet_at(desk.open("web", output="null").directory))
    end(desk.process)
    assert set(findings(pid=pid)) == {"refused"}
    assert set(findings("web", desk=desk)) == {"no-desk"}


def test_var_run_is_another_directory_than_run(sandbox, web, findings):
    pid = sandbox(*outlet_at(web.directory), "--tmpfs", "/var")
    assert set(findings(pid=pid)) == {"var-run"}


def test_the_users_own_directory_is_mounted_read_only(sandbox, web, findings):
    pid = sandbox("--dir", "/run/user", *outlet_at(web.directory, "/run/user/pulse"), XDG_RUNTIME_DIR="/run/user")
    assert set(findings(pid=pid)) == {"secure-directory"}


def test_the_image_starts_a_sound_server_of_its_own(sandbox, web, findings, tmp_path):
    (tmp_path / "client.conf").write_text("autospawn = yes\ndaemon-binary = /usr/bin/sleep\n")
    conf = ("--ro-bind", tmp_path / "client.conf", "/tmp/client.conf", "--uid", str(PLAYER))
    pid = sandbox(*outlet_at(web.directory), *conf, PULSE_CLIENTCONFIG="/tmp/client.conf")
    # Whose uid is 0 outside is nobody's root: the doctor sees the user as the host does, and libpulse as the container.
    assert set(findings(pid=pid)) <= {"autospawn"}


def test_client_conf_is_wrong(sandbox, web, findings, tmp_path):
    (tmp_path / "client.conf").write_text("autospawn = perhaps\n")
    conf = ("--ro-bind", tmp_path / "client.conf", "/tmp/client.conf")
    pid = sandbox(*outlet_at(web.directory), *conf, PULSE_CLIENTCONFIG="/tmp/client.conf")
    assert "client.conf:1" in findings(pid=pid)["client-conf"]


@pytest.fixture(scope="module")
def image(stage, rootfs):
    """Makes a root like the usual one without what matches the patterns."""
    made = []

    def make(*lacking):
        made.append(stage.make_directory(f"image-{len(made)}"))
        root = made[-1] / "root"
        shutil.copytree(rootfs.directory, root, symlinks=True, copy_function=os.link)
        for pattern in lacking:
            for path in root.glob(pattern):
                path.unlink()
        return root

    return make


def test_the_image_has_no_libpulse(sandbox, web, findings, image):
    root = image("usr/lib/*/libpulse.so.0")
    assert set(findings(pid=sandbox(*outlet_at(web.directory), root=root))) == {"no-libpulse"}


def test_the_image_has_no_plugin_for_alsa(sandbox, web, findings, image):
    root = image("usr/lib/*/alsa-lib/libasound_module_pcm_pulse.so")
    assert set(findings(pid=sandbox(*outlet_at(web.directory), root=root))) == {"no-alsa-plugin"}


def test_alsas_default_is_the_card(sandbox, web, findings):
    pid = sandbox(*outlet_at(web.directory), ALSA_CONFIG_PATH="/usr/share/alsa/alsa.conf")
    assert set(findings(pid=pid)) == {"alsa-default"}


# -- who answers


@pytest.fixture
def stranger(tmp_path):
    """Serves a socket: to each connection it says `words`, and then nothing, or hangs up."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "native"))
    listening.listen()
    connections = []

    def serve(words, hangs_up=False):
        def answer():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                connections.append(connection)
                connection.sendall(words)
                if hangs_up:
                    connection.close()

        threading.Thread(target=answer, daemon=True).start()
        return tmp_path

    yield serve
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    for connection in connections:
        connection.close()


@pytest.mark.parametrize(
    ("words", "hangs_up", "code"),
    [
        (b"", False, "timeout"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(100), False, "protocol-error"),
        (b"", True, "too-many-clients"),
        (packet(Error(code=PulseError.ACCESS), 0, 35), False, "access-denied"),
    ],
    ids=["hangs", "talks-something-else", "is-full", "does-not-know-us"],
)
def test_somebody_who_is_no_help_serves_the_socket(sandbox, findings, stranger, words, hangs_up, code):
    pid = sandbox(*outlet_at(stranger(words, hangs_up)))
    assert set(findings(pid=pid, patience="300ms" if code == "timeout" else "20s")) == {code}


def test_the_outlet_has_as_many_clients_as_its_budget_allows(stage, desk, findings):
    assert desk.command("open", "small", "--output", "null", "--budget", "connections=2").returncode == 0
    with socket.socket(socket.AF_UNIX) as one, socket.socket(socket.AF_UNIX) as other:
        for client in (one, other):
            client.connect(str(desk.runtime / "outlets/small/native"))
        assert set(findings("small")) == {"too-many-clients"}


def test_another_users_container_may_not_open_the_socket(stage, desk, rootfs, findings):
    assert desk.command("open", "narrow", "--output", "null", "--mode", "0600").returncode == 0
    options = (
        "--volume",
        f"{desk.runtime}/outlets/narrow:/run/pulse:ro",
        "--env",
        f"ALSA_CONFIG_PATH={ALSA['ALSA_CONFIG_PATH']}",
    )
    storage = stage.make_directory("podman")
    sleep = ("/bin/sh", "-c", "trap exit TERM; sleep 1000 & wait")
    process = stage.start("podman", rootfs.podman(storage, PLAYER, *sleep, options=options))
    directory = desk.runtime / "outlets/narrow"
    wait_until(lambda: visitors(directory), "the container to have the outlet")
    assert f"uid {PLAYER} may not connect" in findings("narrow")["wrong-uid"]
    end(process)


# -- what a container should not have


def test_the_container_has_the_sound_servers_own_socket(sandbox, findings, pulseaudio):
    directory = pulseaudio.address.removeprefix("unix:").removesuffix("/native")
    found = findings(pid=sandbox(*outlet_at(directory)))
    assert set(found) == {"raw-socket", "shm-open"}
    assert "has your account" in found["raw-socket"]


def test_it_has_the_raw_socket_beside_the_outlet(sandbox, web, findings, pulseaudio):
    directory = pulseaudio.address.removeprefix("unix:").removesuffix("/native")
    pid = sandbox(*outlet_at(web.directory), *outlet_at(directory, "/run/user/1000/pulse"))
    assert set(findings(pid=pid)) == {"raw-socket"}


@pytest.mark.parametrize(
    ("name", "code"), [("pipewire-0", "pipewire"), ("bus", "session-bus")], ids=["pipewire", "session-bus"]
)
def test_it_has_other_sockets_of_the_session(sandbox, web, findings, tmp_path, name, code):
    with socket.socket(socket.AF_UNIX) as there:
        there.bind(str(tmp_path / name))
        pid = sandbox(*outlet_at(web.directory), *outlet_at(tmp_path, "/run/user/1000"))
        assert set(findings(pid=pid)) == {code}


def test_it_has_the_sound_card(sandbox, web, findings, tmp_path):
    (tmp_path / "pcmC0D0p").touch()
    assert set(findings(pid=sandbox(*outlet_at(web.directory), *outlet_at(tmp_path, "/dev/snd")))) == {"sound-card"}


def test_it_has_the_desks_whole_directory(sandbox, web, findings, desk):
    pid = sandbox(*outlet_at(web.directory), *outlet_at(desk.runtime, "/run/user/1000/eardrum"))
    assert set(findings(pid=pid)) == {"control-socket"}


# -- on this side of the mount


def test_there_is_no_such_outlet(findings, web):
    assert set(findings("wbe")) == {"no-outlet"}


def test_somebody_removed_the_socket(stage, desk, findings):
    outlet = desk.open("gone", output="null")
    (outlet.directory / "native").unlink()
    assert set(findings("gone")) == {"socket-gone"}
    desk.close("gone")


def test_the_person_has_muted_it(desk, findings):
    desk.open("mute", output="null", input="silence")
    desk.command("mute", "mute", "on")
    desk.command("mute", "mute/in", "on")
    assert "input" in findings("mute")["muted"]


def test_the_hosts_server_is_not_there(stage, findings, tmp_path):
    desk = stage.desk(upstream=f"unix:{tmp_path}/native")
    outlet = desk.open("web")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(outlet.directory / "native"))
        stage.start("paplay", ["pacat", "/dev/zero"], {"PULSE_SERVER": outlet.address})
        wait_until(lambda: desk.list()["web"]["wires"]["output"]["state"] == "waiting", "the wire to wait")
        assert "no such socket" in findings("web", desk=desk)["wire-waiting"]
    end(desk.process)


# -- a container that is started for it


@pytest.fixture
def trial(desk):
    """What the doctor says of a command line, by code."""

    def find(*command):
        done = desk.command("doctor", "--json", "--patience", "20s", "--", *map(str, command))
        assert done.returncode in (0, 1), done.stderr
        return {one["code"]: one["what"] for one in json.loads(done.stdout)["findings"]}

    return find


@pytest.mark.parametrize("engine", ["podman", "bubblewrap"])
def test_a_container_is_started_looked_at_and_ended(contained, trial, desk, engine):
    command = contained(engine, 0, "/usr/bin/this-is-not-run", "--at-all")
    assert trial(*command) == {}
    assert not [name for name in desk.list() if name.startswith("doctor")]


def test_what_a_command_line_gives_besides_the_outlet_is_found(contained, trial, pulseaudio):
    directory = pulseaudio.address.removeprefix("unix:").removesuffix("/native")
    *command, program = contained("bubblewrap", 0, "/bin/true")
    assert set(trial(*command[:-1], *outlet_at(directory, "/run/user/1000/pulse"), "--", program)) == {"raw-socket"}


def test_an_engine_that_cannot_start_it_is_quoted(trial):
    found = trial("bwrap", "--ro-bind", "/nowhere-at-all", "/x", "true")
    assert "nowhere-at-all" in found["engine"]


def test_an_engine_that_nobody_knows_is_refused(desk):
    done = desk.command("doctor", "--", "chroot", "/x", "true")
    assert (done.returncode, done.stderr.count("\n")) == (125, 1)
    assert "chroot: cannot be tried" in done.stderr
