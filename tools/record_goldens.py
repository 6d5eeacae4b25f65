"""Record what real programs and real sound servers say to each other, into tests/golden/SERVER/NAME.txt.

    record_goldens.py [SERVER [NAME…]]

Needs bubblewrap and the programs of PROGRAMS. Servers and programs run in a container of their own, with user `user` on
host `golden`, a fixed machine-id and home, and process numbers of its own: but for the time nothing of the machine is
in a golden file. Never edit one by hand.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from eardrum.testing.servers import accepts, wait_until

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests/golden"
SERVERS = ("pulseaudio-16.1", "pipewire-0.3.65")
PLAY = "pacat --raw --latency-msec=100 tone.raw"
SCREEN = "Xvfb :7 -screen 0 800x600x24 2>/dev/null & trap 'kill $!' EXIT; export DISPLAY=:7; sleep 1;"
BROWSER = (
    "chromium --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --user-data-dir=chromium"
    " --autoplay-policy=no-user-gesture-required"
)
SCRIPT = f"PYTHONDONTWRITEBYTECODE=1 {os.path.realpath(sys.executable)} /eardrum/tests/live/programs"
# name -> what is traced, a shell script in a directory with tone.raw (s16le, stereo, 44.1 kHz), tone.wav and page.html
PROGRAMS = {
    "pacat-play": PLAY,
    "pacat-interrupted": f"timeout -s INT 0.5 {PLAY}; true",
    "parec": "timeout -s INT 3 parec --latency-msec=50 --device=null.monitor >/dev/null; true",
    "pactl-info": "pactl info",
    "pactl-list": f"{PLAY} & sleep 0.2; pactl list; wait",
    "pactl-subscribe": "timeout -s INT 1 pactl subscribe & sleep 0.3; pactl set-sink-volume null 50%;"
    " pactl set-sink-mute null 1; pactl set-sink-mute null 0; wait",
    "pactl-sample": "pactl upload-sample tone.wav tone; pactl play-sample tone; pactl remove-sample tone",
    "pactl-refused": "pactl load-module module-nowhere; pactl set-sink-volume nowhere 50%;"
    " pactl move-sink-input 99 null; pactl suspend-sink null 1; pactl suspend-sink null 0; pactl stat;"
    " pactl send-message /core list-handlers; true",
    "aplay": "aplay -q -D pulse tone.wav",
    "ffmpeg-play": "ffmpeg -loglevel error -f lavfi -i sine=frequency=440:duration=0.5 -f pulse tone",
    "mpv": "mpv --no-config --really-quiet --vo=null --ao=pulse tone.wav",
    "gstreamer": "gst-launch-1.0 -q filesrc location=tone.wav ! wavparse ! audioconvert ! pulsesink",
    "gstreamer-record": "gst-launch-1.0 -q pulsesrc num-buffers=20 ! fakesink",
    "sdl": f"SDL_AUDIODRIVER=pulseaudio PYGAME_HIDE_SUPPORT_PROMPT=1 {SCRIPT}/sdl.py play tone.wav",
    "openal": f"ALSOFT_DRIVERS=pulse {SCRIPT}/openal.py play tone.wav",
    "portaudio": f"{SCRIPT}/portaudio.py play tone.wav",
    "canberra": f"{SCRIPT}/canberra.py play tone.wav",
    "canberra-cached": f"{SCRIPT}/canberra.py cached tone.wav",
    "arecord": "arecord -q -D pulse -f cd -d 1 /dev/null",
    "pulsemixer": "pulsemixer --list; pulsemixer --set-volume 60 --toggle-mute --get-volume",
    "pavucontrol": f"{SCREEN} {PLAY} & timeout 2 pavucontrol; true",
    "chromium": f"{SCREEN} timeout 8 {BROWSER} file:///home/user/page.html 2>/dev/null; true",
}
PAGE = """<audio autoplay src="tone.wav"></audio>
<script>
navigator.mediaDevices.enumerateDevices();
</script>
"""
# What every container has of the machine: programs and their data, and nothing that names it.
MACHINE_ID = "0123456789abcdef0123456789abcdef"
FILES = {
    "/etc/machine-id": MACHINE_ID + "\n",
    "/etc/hostname": "golden\n",
    "/etc/hosts": "127.0.0.1 localhost golden\n",
    "/etc/passwd": "user:x:1000:1000:user:/home/user:/bin/sh\n",
    "/etc/group": "user:x:1000:\n",
}
ENVIRONMENT = {
    "PATH": "/usr/bin:/usr/sbin",
    "HOME": "/home/user",
    "USER": "user",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "XDG_RUNTIME_DIR": "/run/user/1000",
    "PYTHONPATH": f"/eardrum/src:{sysconfig.get_path('purelib')}",
}


# -- on the machine


def container(command: Sequence[str], out: Path) -> list[str]:
    """The command line that runs `command` in the container; `out` is its /out."""
    argv = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--hostname", "golden"]
    argv += ["--uid", "1000", "--gid", "1000", "--clearenv"]
    argv += [word for name, value in ENVIRONMENT.items() for word in ("--setenv", name, value)]
    argv += ["--ro-bind", "/usr", "/usr", "--ro-bind", "/etc", "/etc", "--proc", "/proc", "--dev", "/dev"]
    argv += [word for name in ("bin", "sbin", "lib", "lib64") for word in ("--symlink", f"usr/{name}", f"/{name}")]
    for path, text in FILES.items():
        file = out / path.replace("/", "_")
        file.write_text(text)
        argv += ["--ro-bind", str(file), path] if Path(path).exists() else []
    for directory in ("/tmp", "/run", "/var", "/home/user"):
        argv += ["--tmpfs", directory]
    argv += ["--symlink", "../run", "/var/run", "--perms", "0700", "--dir", "/run/user/1000"]
    for name in ("seats", "sessions", "users", "machines"):  # wireplumber ends where it cannot watch them
        argv += ["--dir", f"/run/systemd/{name}"]
    for path in {sys.base_prefix, sysconfig.get_path("purelib")}:
        argv += ["--ro-bind-try", path, path]
    argv += ["--ro-bind", str(ROOT), "/eardrum", "--bind", str(out), "/out", "--chdir", "/home/user"]
    return [*argv, "--", *command]


def record(server: str, name: str) -> None:
    """Write one golden file."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory)
        inside = [os.path.realpath(sys.executable), "/eardrum/tools/record_goldens.py", "--inside", server, name]
        done = subprocess.run(container(inside, out), stdin=subprocess.DEVNULL, capture_output=True, text=True)
        golden = out / "golden"
        if done.returncode or not golden.exists():
            raise SystemExit(f"{server} {name}: status {done.returncode}\n{done.stdout}{done.stderr}")
        (GOLDEN / server).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(golden, GOLDEN / server / f"{name}.txt")
    print(f"{server}/{name}.txt", flush=True)


# -- in the container


def inside(server: str, name: str) -> None:
    """Start the server, make the sounds, trace the program."""
    Path("page.html").write_text(PAGE)
    tone = ["sox", "-n", "-r", "44100", "-b", "16", "-c", "2", "tone.wav", "synth", "0.7", "sine", "440", "gain", "-12"]
    subprocess.run(tone, check=True)
    subprocess.run(["sox", "tone.wav", "tone.raw"], check=True)
    cookie = Path(".config/pulse/cookie")
    cookie.parent.mkdir(parents=True)
    cookie.write_bytes(bytes(256))
    servers = pulseaudio() if server.startswith("pulseaudio") else pipewire()
    trace = [sys.executable, "-m", "eardrum", "trace", "--audio", "--golden", "/out/golden", "--"]
    try:
        status = subprocess.run([*trace, "sh", "-c", PROGRAMS[name]]).returncode
    finally:
        for process in reversed(servers):
            process.terminate()
            process.wait()
    raise SystemExit(status)


def pulseaudio() -> list[subprocess.Popen[bytes]]:
    """PulseAudio with a null sink and the modules that desktops load."""
    modules = ["null-sink sink_name=null", "native-protocol-unix", "stream-restore", "device-restore", "device-manager"]
    argv = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--realtime=no", "--high-priority=no"]
    argv += [word for module in modules for word in ("-L", f"module-{module}")]
    server = subprocess.Popen(argv)
    wait_until(lambda: accepts(Path("/run/user/1000/pulse/native")), "PulseAudio")
    return [server]


def pipewire() -> list[subprocess.Popen[bytes]]:
    """PipeWire, its session manager and its PulseAudio, with a null sink that is the default."""
    os.environ["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/run/user/1000/bus"
    bus = ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--address=unix:path=/run/user/1000/bus"]
    servers = []
    for argv, path in ((bus, "bus"), (["pipewire"], "pipewire-0"), (["pipewire-pulse"], "pulse/native")):
        servers.append(subprocess.Popen(argv))
        wait_until(lambda path=path: accepts(Path("/run/user/1000", path)), argv[0])  # type: ignore[misc]
    servers.append(subprocess.Popen(["wireplumber"]))
    subprocess.run(["pactl", "load-module", "module-null-sink", "sink_name=null"], check=True, capture_output=True)
    wait_until(lambda: b"Default Sink: null\n" in subprocess.check_output(["pactl", "info"]), "wireplumber")
    time.sleep(0.5)  # its other objects
    return servers


def main() -> None:
    words = sys.argv[1:]
    if words[:1] == ["--inside"]:
        inside(*words[1:])
    for server in words[:1] or SERVERS:
        program, _, version = server.partition("-")
        said = subprocess.check_output([program, "--version"], text=True)
        if version not in said.split():
            raise SystemExit(f"{server}: this machine has another version: {said.strip()}")
        for name in words[1:] or PROGRAMS:
            record(server, name)


if __name__ == "__main__":
    main()
