"""`make demo`: a tune from one container to another, and what a third one may not do.

`melody` plays a tune through a play-only outlet into the room `parlour`; `listener` is wired to hear that room and
records it; `spy`, play-only, tries what the holder of a sound server's socket can do. Needs no sound server,
root or network. Leaves demo-out/heard.flac and demo-out/heard.png; exits with 1 when anything is not as it should be.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import picture
import soundfile
import spy
from containers import Containers
from spy import Seen
from table import printed
from tune import RATE, tune

from eardrum.testing.servers import Desk, Samples, Stage, wait_until

OUT = Path("demo-out")
NEEDED = ("pactl", "paplay", "parec")


def main() -> None:
    lacking = [program for program in NEEDED if not shutil.which(program)]
    if lacking:
        sys.exit(
            f"demo: {', '.join(lacking)} not found; as root: apt-get install --no-install-recommends pulseaudio-utils"
        )
    OUT.mkdir(exist_ok=True)
    played = (tune() * 32767).astype(np.int16)
    with Stage() as stage:
        containers = Containers(stage)
        soundfile.write(containers.shared / "tune.wav", played, RATE, subtype="PCM_16")
        print(f"The containers are {containers.words}.")
        raw = on_raw_socket(stage, containers) if shutil.which("pulseaudio") else None
        ours, recorded = on_outlets(stage, containers)
    faults = [*judged(raw, ours)]
    heard, fault = found(recorded, played)
    faults += [fault] if fault else []
    leave(heard)
    print(printed([words for words, _ in spy.ATTEMPTS], raw, ours))
    if not fault:
        print(f"listener heard the tune: {len(heard)} frames, none missing, each as melody played it.")
    print(f"To listen: {OUT}/heard.flac; to look: {OUT}/heard.png")
    for fault in faults:
        print(f"demo: {fault}", file=sys.stderr)
    sys.exit(1 if faults else 0)


def on_raw_socket(stage: Stage, containers: Containers) -> list[Seen]:
    """The usual way: every container has the sound server's own socket."""
    print("melody and spy share the socket of a PulseAudio of their own ...", flush=True)
    server = stage.pulseaudio()
    directory = Path(server.address.removeprefix("unix:")).parent
    melody = stage.start("melody-raw", containers.command("paplay", containers.tune, outlet=directory))
    wait_until(lambda: stage.pactl(server.address, "list", "short", "sink-inputs"), "melody to play")
    seen = spy.attempts(stage, containers, directory)
    melody.wait(30)
    return seen


def on_outlets(stage: Stage, containers: Containers) -> tuple[list[Seen], Samples]:
    """Eardrum's way: every container has an outlet; what spy saw, and what listener recorded."""
    print("melody, listener and spy have an outlet each, room parlour is wired to the first two ...", flush=True)
    desk = stage.desk()
    recording = listen(desk, containers)
    words = ["run", "--name", "melody", "--output", "room:parlour", "--"]
    melody = desk.start("melody", *words, *containers.command("paplay", containers.tune))
    wait_until(lambda: np.fromfile(recording, "<i2").any(), "listener to hear melody")
    outlet = desk.open("spy", output="null")
    seen = spy.attempts(stage, containers, outlet.directory)
    if melody.wait(30):
        sys.exit(f"demo: melody could not play:\n{stage.log('melody')}")
    frames = recording.stat().st_size
    wait_until(lambda: recording.stat().st_size > frames + 2 * RATE, "listener to hear the end")
    return seen, np.fromfile(recording, "<i2")[: frames // 4 * 2 + RATE].reshape(-1, 2)


def listen(desk: Desk, containers: Containers) -> Path:
    """Start the container `listener`; the file its parec writes to, once sound arrives."""
    path = desk.stage.directory / "heard.raw"
    parec = containers.command("parec", "--format=s16le", f"--rate={RATE}", "--channels=2", "--latency-msec=50")
    argv = ["run", "--name", "listener", "--output", "null", "--input", "room:parlour", "--", *parec]
    with path.open("wb") as sound:
        desk.start("listener", *argv, stdout=sound)
    wait_until(lambda: path.stat().st_size, f"listener to record:\n{desk.stage.log('listener')}")
    return path


def judged(raw: list[Seen] | None, ours: list[Seen]) -> list[str]:
    """What is wrong with what spy saw: on an outlet nothing may succeed, on a raw socket everything does."""
    wrong = [
        f"on an outlet, spy could {words}: {seen.text}"
        for (words, _), seen in zip(spy.ATTEMPTS, ours, strict=True)
        if seen.through
    ]
    if raw is not None:
        pairs = zip(spy.ATTEMPTS, raw, strict=True)
        wrong += [
            f"on a raw socket, spy could not {words}: {seen.text}" for (words, _), seen in pairs if not seen.through
        ]
    return wrong


def found(recorded: Samples, played: Samples) -> tuple[Samples, str]:
    """The tune in what was recorded, and what is wrong with it, or ""."""
    size = len(recorded) + len(played)
    spectra = np.fft.rfft(recorded.sum(axis=1), size) * np.conj(np.fft.rfft(played.sum(axis=1), size))
    start = int(np.argmax(np.fft.irfft(spectra, size)[: len(recorded)]))
    heard = recorded[start : start + len(played)]
    if len(heard) < len(played):
        return heard, f"listener heard {len(heard)} of {len(played)} frames"
    off = int(np.abs(heard.astype(int) - played).max())
    if off > 2:
        return heard, f"what listener heard is off by up to {off / 32768:.1%} of full scale"
    if recorded[:start].any() or recorded[start + len(played) :].any():
        return heard, "listener heard something besides the tune"
    return heard, ""


def leave(heard: Samples) -> None:
    """Write heard.flac and heard.png."""
    soundfile.write(OUT / "heard.flac", heard, RATE)
    note = f"{len(heard) / RATE:.1f} s from container melody, played with paplay, recorded with parec"
    picture.draw(heard / 32768, RATE, "What the listener heard in the parlour", note, OUT / "heard.png")


if __name__ == "__main__":
    main()
