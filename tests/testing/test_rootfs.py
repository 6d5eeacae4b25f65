from __future__ import annotations

import os

import pytest

from eardrum.testing.rootfs import PLAYER, Rootfs


@pytest.fixture(scope="module")
def rootfs(tmp_path_factory):
    sounds = tmp_path_factory.mktemp("sounds")
    return Rootfs(tmp_path_factory.mktemp("container") / "rootfs", sounds)


@pytest.mark.parametrize("program", ["sh", "paplay", "parec", "pactl", "aplay"])
def test_it_has_the_programs(rootfs, program):
    assert os.access(rootfs.directory / "usr/bin" / program, os.X_OK)


def test_it_is_laid_out_as_debian_is(rootfs):
    assert (rootfs.directory / "var/run").readlink().as_posix() == "../run"
    assert (rootfs.directory / "lib64/ld-linux-x86-64.so.2").exists() or os.uname().machine != "x86_64"
    assert not any((rootfs.directory / "run").iterdir())


def test_its_ordinary_user_has_a_name(rootfs):
    assert f"player:x:{PLAYER}:{PLAYER}:" in (rootfs.directory / "etc/passwd").read_text()


def test_podman_has_no_network_no_image_and_a_read_only_root(rootfs, tmp_path):
    argv = rootfs.podman(tmp_path, PLAYER, "paplay", "tone.wav")
    assert {"--network=none", "--read-only", f"--user={PLAYER}"} <= set(argv)
    assert argv[-4:] == ["--rootfs", str(rootfs.directory), "paplay", "tone.wav"]


def test_bubblewrap_shares_nothing(rootfs):
    argv = rootfs.bubblewrap(PLAYER, "paplay", "tone.wav")
    assert "--unshare-all" in argv
    assert argv[-3:] == ["--", "paplay", "tone.wav"]


def test_docker_has_no_network_no_rights_and_a_read_only_root(rootfs):
    argv = rootfs.docker("unix:///x", PLAYER, "paplay", "tone.wav")
    assert {"--network=none", "--read-only", "--cap-drop=ALL", f"--user={PLAYER}"} <= set(argv)
    assert argv[-3:] == ["player", "paplay", "tone.wav"]


def test_nspawn_has_no_network_and_a_read_only_root(rootfs):
    argv = rootfs.nspawn("player", "paplay", "tone.wav", options=["-U"])
    assert {"--private-network", "--read-only", "--user=player"} <= set(argv)
    assert argv[-3:] == ["-U", "paplay", "tone.wav"]


def test_lxc_has_no_network_and_a_read_only_root(rootfs, tmp_path):
    argv = rootfs.lxc(tmp_path, PLAYER, "paplay", "tone.wav")
    assert argv[-3:] == ["--", "paplay", "tone.wav"]
    said = (tmp_path / "config").read_text()
    assert "lxc.net.0.type = empty\n" in said
    assert "lxc.rootfs.options = ro\n" in said
    assert f"lxc.init.uid = {PLAYER}\n" in said
