"""Whom `eardrum serve` lets in, beside a real PulseAudio: users, groups, cookies, user namespaces, containers."""

from __future__ import annotations

import os

import pytest

from eardrum.testing.servers import EARDRUM, RATE, as_user

OTHER = 4444  # uid and gid of nobody in particular
AUDIO = 29  # Debian's group `audio`, for which PulseAudio needs the name
RULES = {
    "uid": "auth-cookie-enabled=no",
    "group": "auth-group=audio auth-cookie-enabled=no",
    "cookie": "auth-cookie={0}",
    "anonymous": "auth-anonymous=1",
}
OURS = {"uid": "auth=uid", "group": "auth=group:audio", "cookie": "auth=cookie:{0}", "anonymous": "auth=anonymous"}
ASKS = """for rule in uid group cookie anonymous; do
    said=$(PULSE_SERVER=unix:$1/$rule/native pactl info 2>&1) && echo $rule && continue
    case $said in *"Access denied"*);; *) echo "$said";; esac
done"""
PULSEAUDIO = [
    "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--realtime=no", "--high-priority=no",
    "-L", f"module-null-sink sink_name=null rate={RATE} norewinds=1",
]  # fmt: skip
EVERYWHERE = {"uid", "group", "cookie", "anonymous"}


@pytest.fixture(params=["pulseaudio", "eardrum by module", "eardrum by option"])
def four_doors(request, stage, base, started):
    """Starts a server with a socket of each rule in `DIRECTORY/RULE/native`; returns the directory.

    `DIRECTORY/tune` is its cookie, `within` the command line that puts the server in a container.
    """

    def start(within=lambda directory: []):
        place = base()
        (place / "tune").write_bytes(os.urandom(256))
        for rule in RULES:
            (place / rule).mkdir()
        paths = {rule: place / rule / "native" for rule in RULES}
        if request.param == "eardrum by option":
            argv = [EARDRUM, "serve"]
            for rule, words in OURS.items():
                argv += ["--socket", f"{paths[rule]},{words.format(place / 'tune')},mode=0666"]
        else:
            own = place / "own"
            modules = [
                f"module-native-protocol-unix socket={paths[rule]} {words.format(place / 'tune')}"
                for rule, words in RULES.items()
            ]
            argv = [EARDRUM, "serve", "--socket", str(own)]
            if request.param == "pulseaudio":
                argv = [*PULSEAUDIO, *(word for module in modules for word in ("-L", module))]
        process = started("doors", [*within(place), *argv], HOME=str(place), XDG_RUNTIME_DIR=str(place))
        if request.param == "eardrum by module":
            stage.await_listener(process, "doors", own)
            for module in modules:
                stage.pactl(f"unix:{own}", "load-module", *module.split())
        for path in paths.values():
            stage.await_listener(process, "doors", path)
        return place

    start.kind = request.param
    return start


def test_users_and_groups_are_let_in_as_each_rule_says(stage, base, four_doors):
    place = four_doors()
    modes = {(place / rule / "native").lstat().st_mode & 0o777 for rule in RULES}
    assert modes == ({0o666} if four_doors.kind == "eardrum by option" else {0o777})
    home = base()
    home.chmod(0o777)
    (home / "wrong").write_bytes(bytes(256))
    (home / "right").write_bytes((place / "tune").read_bytes())
    for cookie in ("wrong", "right"):
        (home / cookie).chmod(0o644)

    def enters(caller: list[str], cookie: str = "wrong") -> set[str]:
        known = ["env", f"HOME={home}", f"PULSE_COOKIE={home}/{cookie}", "--unset=XDG_RUNTIME_DIR"]
        return {*stage.run([*known, *caller, "sh", "-c", ASKS, "sh", str(place)]).stdout.split()}

    assert enters([]) == EVERYWHERE
    assert enters(as_user(OTHER)) == {"anonymous"}
    assert enters(as_user(OTHER), "right") == {"cookie", "anonymous"}
    assert enters(as_user(OTHER, AUDIO)) == {"group", "anonymous"}
    assert enters([*as_user(OTHER), "unshare", "--user", "--map-root-user"]) == {"anonymous"}
    assert enters([*as_user(OTHER), "unshare", "--user", "--map-root-user"], "right") == {"cookie", "anonymous"}
    assert enters([*as_user(OTHER, AUDIO), "unshare", "--user", "--map-root-user"]) == {"group", "anonymous"}
    assert enters(["unshare", "--user", "--map-root-user"]) == EVERYWHERE
    if four_doors.kind != "pulseaudio":  # which does not ask the kernel for a process' other groups
        assert enters(as_user(OTHER, OTHER, AUDIO)) == {"group", "anonymous"}


@pytest.mark.parametrize(("uid", "knows_us"), [(1000, True), (65534, False)])
def test_a_server_in_a_user_namespace_knows_those_who_have_a_number_there(stage, base, started, uid, knows_us):
    """Our own user has the number `uid` there. Whoever has none is shown as 65534, so nobody is known by that one."""
    place = base()
    (place / "tune").write_bytes(os.urandom(256))
    (place / "tune").chmod(0o644)
    path = place / "native"
    contained = ["bwrap", "--unshare-user", "--uid", str(uid), "--gid", str(uid), "--dev-bind", "/", "/"]
    rules = f"auth=group:{uid},auth=cookie:{place}/tune,mode=0666"
    process = started("namespace", [*contained, "--die-with-parent", EARDRUM, "serve", "--socket", f"{path},{rules}"])
    stage.await_listener(process, "namespace", path)

    def enters(*caller: str, cookie: str = "") -> bool:
        known = ["env", "HOME=/proc/none", f"PULSE_SERVER=unix:{path}", f"PULSE_COOKIE={cookie}"]
        return not stage.run([*caller, *known, "pactl", "info"]).returncode

    assert enters() is knows_us
    assert enters("unshare", "--user", "--map-root-user") is knows_us
    assert enters(*contained) is knows_us  # another container, the same user
    assert not enters(*as_user(OTHER))
    assert not enters(*as_user(uid))  # the same number outside is another user
    assert enters(*as_user(OTHER), cookie=f"{place}/tune")


def test_a_server_in_one_container_is_reached_from_another(
    stage, contained, rootfs, base, four_doors, sounds, assert_whole
):
    apart = ["bwrap", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--die-with-parent"]
    whole = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    place = four_doors(lambda shared: [*apart, *whole, "--bind", str(shared), str(shared)])
    (place / "tune").chmod(0o644)

    def inside(who: str, *command: str, shared: str = "") -> list[str]:
        line = contained("podman", who, *command)
        at = line.index("--rootfs")
        volume = f"{place / shared}:/run/pulse" if shared else f"{place}:/tmp/shared"
        return [*line[:at], "--volume", volume, *line[at:]]

    def enters(who: str, *variables: str) -> set[str]:
        script = "".join(f"export {variable}; " for variable in variables) + ASKS
        done = stage.run(inside(who, "sh", "-c", script, "sh", "/tmp/shared"))
        return {*done.stdout.split()}

    assert enters("0:0") == EVERYWHERE
    assert enters("12345:12345") == {"anonymous"}
    assert enters("12345:29") == {"group", "anonymous"}
    assert enters("12345:12345", "PULSE_COOKIE=/tmp/shared/tune") == {"cookie", "anonymous"}
    recording = stage.record(f"unix:{place}/anonymous/native")
    played = stage.run(inside("12345:29", "paplay", "/sounds/tone.wav", shared="group"))  # where clients look
    assert (played.returncode, played.stdout) == (0, "")
    assert_whole(recording.finish())


def test_a_relative_socket_of_a_module_is_in_the_runtime_directory(stage, base, started):
    place = base()
    process = started("relative", [EARDRUM, "serve"], PULSE_RUNTIME_PATH=str(place / "own"), HOME=str(place))
    stage.await_listener(process, "relative", place / "own/native")
    address = f"unix:{place}/own/native"
    stage.pactl(address, "load-module", "module-native-protocol-unix", "socket=second", "auth-cookie=other")
    assert stage.pactl(f"unix:{place}/own/second", "info")
    assert (place / ".config/pulse/other").stat().st_size == 256
    with pytest.raises(RuntimeError, match="Module initialization failed"):
        stage.pactl(address, "load-module", "module-native-protocol-unix")  # where the server itself is
    for words in ("socket=third auth-group=wombats", "socket=third auth-cookie=/dev/null"):
        with pytest.raises(RuntimeError, match="Module initialization failed"):
            stage.pactl(address, "load-module", "module-native-protocol-unix", *words.split())
    stage.pactl(address, "unload-module", "module-native-protocol-unix")
    assert [*(place / "own").iterdir()] == [place / "own/native"]
