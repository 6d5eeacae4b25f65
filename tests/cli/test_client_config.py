"""The files that programs read to find a socket. That they do is in tests/containers/test_client_kit.py."""

from __future__ import annotations

import pytest

CONF = "default-server = unix:{}\nautospawn = no\nenable-shm = no\n"


def conf(printed):
    """client.conf among what is printed."""
    return printed.split("\n\n")[0].partition("\n")[2] + "\n"


def test_both_are_printed_for_a_container(say):
    printed = say("client-config").stdout
    assert conf(printed) == CONF.format("/run/pulse/native")
    assert printed.splitlines()[0].startswith(
        "# client.conf: PULSE_CLIENTCONFIG names it, or it is /etc/pulse/client.conf"
    )
    assert printed.endswith("pcm.!default { type pulse }\nctl.!default { type pulse }\n")


def test_for_an_outlet_on_this_machine(desk, say):
    say("open", "game")
    assert conf(say("client-config", "game").stdout) == CONF.format(desk.outlets["game"]["socket"])
    result = say("client-config", "bot")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "eardrum: bot: no such outlet is open; `eardrum list` names those that are\n"


def test_for_any_socket_with_its_cookie(say, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    printed = conf(say("client-config", "--socket", "native", "--cookie", "/my/cookie").stdout)
    assert printed.splitlines()[:2] == [f"default-server = unix:{tmp_path}/native", "cookie-file = /my/cookie"]


def test_into_a_directory(say, tmp_path):
    directory = tmp_path / "a/b"
    result = say("client-config", "--output", str(directory))
    assert result.output == f"{directory}/client.conf\n{directory}/asound.conf\n"
    assert (directory / "client.conf").read_text() == CONF.format("/run/pulse/native")
    assert (directory / "asound.conf").stat().st_mode & 0o777 == 0o644
    assert say("client-config", "--output", str(directory)).exit_code == 0  # it says the same


def test_nothing_is_overwritten_unasked(say, tmp_path):
    (tmp_path / "asound.conf").write_bytes(b"\xff mine")
    refused = say("client-config", "--output", str(tmp_path))
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"eardrum: {tmp_path}/asound.conf: is there already and says something else; --force overwrites it\n"
    )
    assert (tmp_path / "asound.conf").read_bytes() == b"\xff mine"
    assert not (tmp_path / "client.conf").exists()
    assert say("client-config", "--output", str(tmp_path), "--force").exit_code == 0
    assert (tmp_path / "client.conf").read_text() == CONF.format("/run/pulse/native")


@pytest.mark.parametrize(
    ("words", "status", "part"),
    [
        (("--socket", "/a b"), 2, "has a blank"),
        (("--socket", "/a#b"), 2, "has a blank, # or ;"),
        (("--cookie", "/a\nb"), 2, "which client.conf cannot hold"),
        (("--socket", "/" + "x" * 107), 2, "has 108 bytes, of which libpulse takes 107"),
        (("--socket", "/a", "game"), 2, "not both"),
        (("--output", "/dev/null/x"), 1, "Not a directory"),
    ],
)
def test_misuse(say, words, status, part):
    result = say("client-config", *words)
    assert (result.exit_code, result.stdout) == (status, "")
    assert part in result.stderr
