from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from eardrum.kernel import sound_files
from eardrum.kernel.sound_files import FileWriter
from eardrum.testing import heard

RATE = 48_000
FORMATS = ["wav", "flac", "opus"]
EXACT = ["wav", "flac"]
LOST_WHEN_KILLED = {"wav": 0, "flac": 4096, "opus": RATE // 2}  # frames at most


def noise(frames: int, channels: int = 2, seed: int = 1) -> np.ndarray:
    """Blocks that 16 bits can hold exactly."""
    steps = np.random.default_rng(seed).integers(-32_768, 32_768, (frames, channels))
    return (steps / 32_768).astype(np.float32)


def open_new(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def writer(path: Path, channels: int = 2) -> FileWriter:
    return FileWriter(open_new(path), path.name, RATE, channels)


def read(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert rate == RATE
    return samples


def decoded(path: Path) -> np.ndarray:
    """What another program reads."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "s16le", "-ar", str(RATE), "-ac", "2", "-"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return np.frombuffer(done.stdout, np.int16).reshape(-1, 2)


def run(program: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run a program that has a writer `w` for `path` and second-long blocks of noise."""
    begin = f"""
import os, resource, signal
import numpy as np
from pathlib import Path
from eardrum.kernel.sound_files import FileWriter
path = Path({str(path)!r})
w = FileWriter(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), path.name, {RATE}, 2)
block = np.random.default_rng(1).uniform(-0.5, 0.5, ({RATE}, 2)).astype(np.float32)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        [sys.executable, "-c", begin + program], env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "A.WAV", "A.FLAC"])
@pytest.mark.parametrize("channels", [1, 2])
def test_what_is_written_is_read_bit_by_bit(tmp_path, name, channels):
    path = tmp_path / name
    file = writer(path, channels)
    blocks = [noise(frames, channels, seed) for seed, frames in enumerate((1, 960, 0, 4096, 10_001))]
    for block in blocks:
        file.write(block)
    file.finish()
    assert np.array_equal(read(path), np.concatenate(blocks))
    told = soundfile.info(path)
    assert (told.format, told.subtype) == (path.suffix[1:].upper(), "PCM_16")


def test_opus_is_heard_as_it_was_played(tmp_path):
    path = tmp_path / "A.OPUS"
    file = writer(path)
    for block in np.array_split(heard.stereo_tones(440, 660, 3.0, RATE, 0.5), 100):
        file.write(block.astype(np.float32))
    file.finish()
    told = soundfile.info(path)
    assert (told.format, told.subtype, told.frames) == ("OGG", "OPUS", 3 * RATE)
    for channel, tone in zip(decoded(path)[RATE:].T, (440, 660), strict=True):
        assert abs(heard.amplitude_at(channel, RATE, tone) - 0.5) < 0.01


def test_an_opus_file_in_which_nothing_was_played_is_valid(tmp_path):
    writer(tmp_path / "a.opus").finish()
    heard.assert_silence(read(tmp_path / "a.opus"))


@pytest.mark.parametrize("format", EXACT)
def test_too_loud_is_clipped(tmp_path, format):
    file = writer(tmp_path / f"a.{format}", 1)
    file.write(np.array([[1.5], [-1.5]], np.float32))
    file.finish()
    assert read(tmp_path / f"a.{format}").tolist() == [[32_767 / 32_768], [-1.0]]


@pytest.mark.parametrize("format", EXACT)
@pytest.mark.parametrize("frames", [0, 1, 960, 200_000])
def test_silence_is_as_long_as_it_was(tmp_path, format, frames):
    path = tmp_path / f"a.{format}"
    file = writer(path)
    file.silence(frames)
    file.write(noise(100))
    file.silence(frames)
    file.finish()
    nothing = np.zeros((frames, 2), np.float32)
    assert np.array_equal(read(path), np.concatenate((nothing, noise(100), nothing)))


def test_silence_in_opus_is_as_long_as_it_was(tmp_path):
    path = tmp_path / "a.opus"
    file = writer(path)
    file.silence(200_000)
    file.write(noise(RATE))
    file.finish()
    samples = read(path)
    assert len(samples) == 200_000 + RATE
    heard.assert_silence(samples[:199_000])
    assert np.abs(samples[200_000:201_000]).max() > 0.1


@pytest.mark.parametrize("format", ["flac", "opus"])
def test_long_silence_is_encoded_in_pieces(tmp_path, format):
    path = tmp_path / f"a.{format}"
    file = writer(path)
    file.silence(10 * RATE)
    file.write(noise(960))
    pieces = 0
    while file.behind:
        file.catch_up()
        pieces += 1
    assert pieces == 10
    file.catch_up()
    file.write(noise(960))
    assert not file.behind
    file.silence(RATE // 2)
    assert not file.behind
    file.finish()
    assert len(read(path)) == 10 * RATE + 2 * 960 + RATE // 2


def test_silence_takes_no_room_in_a_wav(tmp_path):
    path = tmp_path / "a.wav"
    file = writer(path)
    file.silence(RATE * 3600)
    file.write(noise(10))
    file.finish()
    assert soundfile.info(path).frames == RATE * 3600 + 10
    assert path.stat().st_blocks * 512 < 1_000_000


def test_the_descriptor_is_closed_at_the_end(tmp_path):
    fd = open_new(tmp_path / "a.wav")
    file = FileWriter(fd, "a.wav", RATE, 2)
    file.finish()
    with pytest.raises(OSError):
        os.fstat(fd)
    file.finish()


def test_a_wav_is_complete_at_any_time(tmp_path):
    path = tmp_path / "a.wav"
    file = writer(path)
    for blocks in range(5):
        with wave.open(str(path)) as strict:  # others, also libsndfile, forgive a wrong length in the header
            assert len(strict.readframes(100_000)) == strict.getnframes() * 4 == blocks * 960 * 4
        file.write(noise(960))
    file.finish()


def test_a_flac_lacks_one_block_at_most(tmp_path):
    path, copy = tmp_path / "a.flac", tmp_path / "copy.flac"
    file = writer(path)
    blocks = [noise(1024, seed=seed) for seed in range(30)]
    for block in blocks:
        file.write(block)
        shutil.copy(path, copy)
        if (told := soundfile.info(copy).frames) < RATE:  # the length is unknown before the first block
            assert np.array_equal(read(copy), np.concatenate(blocks)[:told])
    assert told >= 30 * 1024 - LOST_WHEN_KILLED["flac"]
    file.finish()


@pytest.mark.parametrize("format", FORMATS)
def test_a_killed_process_leaves_a_recording(tmp_path, format):
    path = tmp_path / f"a.{format}"
    done = run("for _ in range(3): w.write(block)\nos.kill(os.getpid(), signal.SIGKILL)", path)
    assert done.returncode == -signal.SIGKILL
    assert 3 * RATE - LOST_WHEN_KILLED[format] <= len(decoded(path)) <= 3 * RATE


@pytest.mark.parametrize("format", FORMATS)
def test_a_writer_opens_and_imports_nothing(tmp_path, format):
    path = tmp_path / f"a.{format}"
    program = """
resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
w.write(block)
w.silence(1_000_000)
w.write(block)
w.finish()
"""
    done = run(program, path)
    assert done.stderr == ""
    assert len(read(path)) == 2 * RATE + 1_000_000


UNTIL_IT_FAILS = """
resource.setrlimit(resource.RLIMIT_FSIZE, ({1}, {1}))
for second in range(10):
    try:
        w.{0}
    except OSError as error:
        print(error)
w.finish()
"""


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("what", ["write(block)", "write(block[:960].repeat(50, 0))"])
def test_a_full_disk_is_told_once_and_what_was_written_stays(tmp_path, format, what):
    path = tmp_path / f"a.{format}"
    most = 100_001 if format == "opus" else 1_000_001
    done = run(UNTIL_IT_FAILS.format(what, most), path)
    assert done.stderr == ""
    (line,) = done.stdout.splitlines()
    assert line.startswith(f"a.{format}: the recording ends here, after ")
    seconds = float(line.split()[6])
    assert seconds >= 5
    assert seconds * RATE - LOST_WHEN_KILLED[format] <= len(decoded(path)) <= seconds * RATE
    assert path.stat().st_size < most


def test_silence_may_be_too_long_as_well(tmp_path):
    path = tmp_path / "a.wav"
    done = run(UNTIL_IT_FAILS.format("silence(100_000)", 1_000_001), path)
    assert done.stderr == ""
    assert done.stdout == "a.wav: the recording ends here, after 4.2 s: the disk is full, or files may not be longer\n"
    assert len(read(path)) == 200_000


def test_a_wav_ends_where_its_header_cannot_count_further(tmp_path, monkeypatch):
    monkeypatch.setattr(sound_files, "_LONGEST_WAV", 10_000)
    path = tmp_path / "a.wav"
    file = writer(path)
    file.write(noise(2500))
    with pytest.raises(OSError, match=r"a\.wav: the recording ends here, after 0\.1 s: .* cannot be longer"):
        file.write(noise(1))
    file.write(noise(1))
    file.silence(1)
    file.finish()
    assert np.array_equal(read(path), noise(2500))


@pytest.mark.parametrize("format", FORMATS)
def test_a_place_where_nothing_can_be_written(format):
    with pytest.raises(OSError, match=rf"nice\.{format}: "):
        FileWriter(os.open("/dev/full", os.O_WRONLY), f"nice.{format}", RATE, 2)
