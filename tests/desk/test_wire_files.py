"""Files and FIFOs at the ends of wires, as the desk opens them."""

from __future__ import annotations

import os
import stat

import pytest

from eardrum.desk.wire_files import Fifo, SoundFile, WireFiles
from eardrum.server.events import INPUT, OUTPUT
from eardrum.terms.errors import Complaint
from eardrum.terms.names import WireEnd


def no_device(wire, end):
    raise AssertionError("no device was asked for")


def test_a_fifo_that_is_not_there_is_made_and_removed(tmp_path):
    fifo = Fifo(tmp_path / "fifo", reads=True)
    fifo.begin(True)
    there = (tmp_path / "fifo").stat()
    assert stat.S_ISFIFO(there.st_mode)
    assert there.st_mode & 0o777 == 0o600
    fifo.end()
    assert not (tmp_path / "fifo").exists()


def test_a_fifo_that_is_there_stays(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    fifo = Fifo(tmp_path / "fifo", reads=False)
    fifo.begin(True)
    fifo.end()
    assert (tmp_path / "fifo").exists()


def test_who_has_the_other_end_waits_for_nobody(tmp_path):
    played, heard = Fifo(tmp_path / "played", reads=False), Fifo(tmp_path / "heard", reads=True)
    for fifo in (played, heard):
        fifo.begin(True)
    reader = os.open(tmp_path / "played", os.O_RDONLY)
    writer = os.open(tmp_path / "heard", os.O_WRONLY)
    for fifo, write, read in ((played, None, reader), (heard, writer, None)):
        path, ours = fifo.take()
        assert path == fifo.path
        os.write(write or ours, b"sound")
        assert os.read(read or ours, 10) == b"sound"
        os.close(ours)
        fifo.end()
    os.close(reader)
    os.close(writer)


def complaint(file) -> str:
    with pytest.raises(Complaint) as caught:
        file.begin(True)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("reads", [True, False])
def test_what_is_no_fifo_is_left_alone(tmp_path, reads):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("fifo")
    for name in ("file", "folder", "link"):
        assert complaint(Fifo(tmp_path / name, reads=reads)) == (
            f"{tmp_path / name}: is no FIFO; choose another path, or move away what is there"
        )
    assert "No such file" in complaint(Fifo(tmp_path / "no" / "fifo", reads=reads))
    assert (tmp_path / "file").read_text() == "mine"


def test_what_cannot_be_a_microphones_file(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert "No such file" in complaint(SoundFile(tmp_path / "none.wav"))
    assert "is no regular file" in complaint(SoundFile(tmp_path))
    assert "is no regular file" in complaint(SoundFile(tmp_path / "fifo"))


def test_a_worker_gets_descriptors_in_the_order_of_its_wires(tmp_path):
    (tmp_path / "in.wav").write_text("sound")
    ends = {OUTPUT: WireEnd("file", f"{tmp_path}/out.wav"), INPUT: WireEnd("loop", f"{tmp_path}/in.wav")}
    files = WireFiles(ends, no_device)
    files.begin(True)
    taken, descriptors = files.take()
    assert taken == ends
    for descriptor, name in zip(descriptors, ("out.wav", "in.wav"), strict=True):
        assert os.fstat(descriptor).st_ino == (tmp_path / name).stat().st_ino
        os.write(descriptor, b"x") if name == "out.wav" else None
    taken, more = files.take()
    assert taken[OUTPUT].argument == f"{tmp_path}/out-2.wav"
    for descriptor in (*descriptors, *more):
        os.close(descriptor)
    assert "out-2.wav: nothing more can be written" in files.failed(OUTPUT)
    assert "in.wav: is broken" in files.failed(INPUT)
    files.end()


def test_when_one_end_is_not_fit_nothing_of_the_other_is_left(tmp_path):
    ends = {OUTPUT: WireEnd("file", f"{tmp_path}/out.wav"), INPUT: WireEnd("file", f"{tmp_path}/in.wav")}
    with pytest.raises(Complaint, match=r"in\.wav"):
        WireFiles(ends, no_device).begin(True)
    assert not (tmp_path / "out.wav").exists()


def test_ends_without_a_path_need_nothing():
    files = WireFiles({OUTPUT: WireEnd("null"), INPUT: None}, no_device)
    files.begin(True)
    assert files.take() == ({}, [])
    assert files.failed(OUTPUT) is None
    files.end()


def test_a_device_is_made_by_whoever_has_the_wires():
    class Device:
        def take(self):
            return "hw:0", 7

    ends = {OUTPUT: WireEnd("alsa", "hw:0"), INPUT: WireEnd("silence")}
    made = []
    files = WireFiles(ends, lambda wire, end: made.append((wire, end)) or Device())
    assert made == [(OUTPUT, ends[OUTPUT])]
    assert files.take() == ({OUTPUT: ends[OUTPUT]}, [7])
    assert files.failed(OUTPUT) is None
