"""What is found by looking at a process: here one made of files, in tests/live/test_doctor.py real ones."""

from __future__ import annotations

import os
import re
from contextlib import closing
from pathlib import Path

import pytest

from eardrum.containers.examination import examine
from eardrum.kernel.process_view import ProcessView

LIBRARIES = ("usr/lib/libpulse.so.0", "usr/lib/alsa-lib/libasound_module_pcm_pulse.so", "usr/lib/libasound.so.2")


@pytest.fixture
def process(tmp_path):
    """A directory like /proc/7, of a process that finds no server and lacks nothing else."""
    at = tmp_path / "7"
    for directory in ("attr", "root/run/pulse", "root/var", "root/etc", "root/dev"):
        (at / directory).mkdir(parents=True)
    for library in LIBRARIES:
        (at / "root" / library).parent.mkdir(parents=True, exist_ok=True)
        (at / "root" / library).touch()
    (at / "root/var/run").symlink_to("/run")
    (at / "root/etc/asound.conf").write_text("pcm.!default {\n  type pulse\n}\n")
    (at / "comm").write_text("player\n")
    (at / "status").write_text(f"Uid:\t{os.getuid()}\t{os.getuid()}\nGid:\t0\t0\nGroups:\t\nCapEff:\t0\n")
    (at / "uid_map").write_text("0 0 4294967295\n")
    (at / "environ").write_bytes(b"")
    (at / "mountinfo").write_text("")
    return at


def found(process: Path) -> dict[str, str]:
    with closing(ProcessView(7, process.parent)) as view:
        return {finding.code: finding.what for finding in examine(view)}


def test_a_process_without_anything_has_no_socket(process):
    assert set(found(process)) == {"no-socket"}


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("system_u:system_r:container_t:s0:c1,c2", "selinux"),
        ("system_u:system_r:spc_t:s0", ""),
        ("unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023", ""),
        ("my-browser (enforce)", "apparmor"),
        ("docker-default (enforce)", ""),
        ("unconfined", ""),
        ("", ""),
    ],
)
def test_a_security_module_may_judge_connections(process, label, code):
    (process / "attr/current").write_text(label)
    assert set(found(process)) - {"no-socket"} == ({code} if code else set())


def test_the_label_is_told(process):
    (process / "attr/current").write_text("system_u:system_r:container_t:s0:c1,c2")
    assert "container_t" in found(process)["selinux"]
    assert "connectto" in found(process)["selinux"]


@pytest.mark.parametrize(
    "text",
    [
        "pcm.!default { type pulse }",
        "pcm.!default {\n    type pulse\n    hint.description x\n}",
        "pcm.!default pulse",
        "pcm.default { type pulse }",
    ],
)
def test_alsas_default_may_be_written_in_several_ways(process, text):
    (process / "root/etc/asound.conf").write_text(text)
    assert "alsa-default" not in found(process)


@pytest.mark.parametrize("text", ["", "pcm.!default { type hw card 0 }", "pcm.pulse { type pulse }"])
def test_or_be_something_else(process, text):
    (process / "root/etc/asound.conf").write_text(text)
    assert "alsa-default" in found(process)


def test_without_alsa_nothing_of_it_is_missed(process):
    (process / "root/usr/lib/libasound.so.2").unlink()
    (process / "root/usr/lib/alsa-lib/libasound_module_pcm_pulse.so").unlink()
    assert set(found(process)) == {"no-socket"}


def test_a_stale_directory_is_told_from_an_empty_one(process):
    device = (process / "root/run/pulse").stat().st_dev
    root = f"{os.major(device)}:{os.minor(device)} /outlets/web//deleted {process}/root/run/pulse ro"
    (process / "mountinfo").write_text(f"40 36 {root} - tmpfs t rw\n")
    assert set(found(process)) == {"stale-directory-mount"}


def test_a_container_with_any_number_of_sockets_is_not_asked_about_all(process, monkeypatch):
    addresses = " ".join(f"unix:/nowhere/{number}" for number in range(1000))
    (process / "environ").write_bytes(f"PULSE_SERVER={addresses}\0".encode())
    asked = []
    monkeypatch.setattr(ProcessView, "mount_at", lambda view, path: asked.append(path))
    assert set(found(process)) == {"no-socket"}
    assert len(asked) == 32


def test_the_page_has_every_finding_and_no_other():
    root = Path(__file__).parents[2]
    code = "".join((root / "src/eardrum" / path).read_text() for path in ("containers/examination.py", "cli/doctor.py"))
    findings = set(re.findall(r'Finding\(\s*f?"([a-z-]+?)-?["{]', code))
    page = (root / "docs/doctor.md").read_text()
    told = set(re.findall(r"^\| .*?\|", page, re.MULTILINE))
    told = {word for cell in told for word in re.findall("`([a-z-]+)`", cell)}
    assert told - {"wire-waiting", "wire-refused"} == findings - {"wire"}
