"""The files of a `file:` end."""

from __future__ import annotations

import fcntl
import os

import pytest

from eardrum.desk.recording import Recording
from eardrum.terms.errors import Complaint


def complaint(path) -> str:
    with pytest.raises(Complaint) as caught:
        Recording(path).begin()
    return str(caught.value)


def test_a_recording_begins_with_a_new_empty_file(tmp_path):
    path = tmp_path / "tune.wav"
    before = os.umask(0o022)
    try:
        Recording(path).begin()
    finally:
        os.umask(before)
    there = path.stat()
    assert (there.st_mode & 0o7777, there.st_size) == (0o644, 0)


def test_an_empty_file_is_taken_and_left(tmp_path):
    path = tmp_path / "tune.wav"
    path.touch()
    recording = Recording(path)
    recording.begin()
    recording.end()
    assert path.exists()


def test_a_file_of_ours_in_which_nothing_was_written_goes_away(tmp_path):
    path = tmp_path / "tune.wav"
    recording = Recording(path)
    recording.begin()
    recording.end()
    assert not path.exists()


def test_a_file_that_somebody_put_in_its_place_stays(tmp_path):
    path = tmp_path / "tune.wav"
    recording = Recording(path)
    recording.begin()
    path.rename(tmp_path / "other.wav")
    path.touch()
    recording.end()
    assert path.exists()


def test_what_cannot_be_recorded_to_is_named(tmp_path):
    (tmp_path / "full.wav").write_text("sound")
    (tmp_path / "link.wav").symlink_to("elsewhere.wav")
    (tmp_path / "folder.wav").mkdir()
    os.mkfifo(tmp_path / "fifo.wav")
    expected = {
        "full.wav": "a recording is there already",
        "link.wav": "is a link",
        "folder.wav": "Is a directory",
        "fifo.wav": "is no regular file",
        "no/such.wav": "No such file or directory",
    }
    for name, part in expected.items():
        assert complaint(tmp_path / name).startswith(f"{tmp_path / name}: {part}")
    assert not (tmp_path / "elsewhere.wav").exists()
    assert (tmp_path / "full.wav").read_text() == "sound"


def test_each_worker_gets_a_file_of_its_own(tmp_path):
    recording = Recording(tmp_path / "tune.flac")
    recording.begin()
    names = []
    for _ in range(3):
        path, descriptor = recording.take()
        os.write(descriptor, b"sound")
        os.close(descriptor)
        names.append(path.name)
    assert names == ["tune.flac", "tune-2.flac", "tune-3.flac"]


def test_a_file_that_a_worker_of_another_desk_writes_is_left_alone(tmp_path):
    path = tmp_path / "tune.wav"
    _, descriptor = Recording(path).take()
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # it is locked already, by the same descriptor
    assert complaint(path).startswith(f"{path}: a recording is there already")
    next_path, other = Recording(path).take()
    assert next_path.name == "tune-2.wav"
    os.close(descriptor)
    os.close(other)
