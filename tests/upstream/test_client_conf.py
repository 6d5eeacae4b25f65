"""Which client.conf counts, and what its lines say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eardrum.upstream.client_conf import ConfFile, Setting, boolean, read

SYSTEM = "/etc/pulse/client.conf"
DENIED = PermissionError(13, "Permission denied")


def server(around):
    return read(around).text("default-server")


def test_only_the_first_client_conf_counts(within, files):
    order = [
        "/given.conf",
        "/config/client.conf",
        "/home/ann/.pulse/client.conf",
        "/home/ann/.config/pulse/client.conf",
    ]
    files.texts |= {path: f"default-server = {path}.socket" for path in (*order, SYSTEM)}
    assert server(within(PULSE_CLIENTCONFIG="/given.conf", PULSE_CONFIG_PATH="/config")) == "/given.conf.socket"
    assert server(within(PULSE_CONFIG_PATH="/config")) == "/config/client.conf.socket"
    for path in (*order[2:], SYSTEM):
        assert server(within(XDG_CONFIG_HOME="/elsewhere")) == f"{path}.socket"
        del files.texts[path]
    assert server(within()) == ""
    assert read(within()).files[-1] == ConfFile(SYSTEM, "not there")
    assert read(within()).complaints == ()


def test_a_file_that_was_named_is_the_only_one(within, files):
    files.texts[SYSTEM] = "default-server = /system"
    conf = read(within(PULSE_CLIENTCONFIG="/gone.conf"))
    assert conf.settings == {}
    assert conf.complaints == ("/gone.conf: No such file or directory; libpulse reads no client.conf at all",)


def test_a_file_of_ones_own_that_cannot_be_read_keeps_the_systems_away(within, files):
    files.texts |= {SYSTEM: "default-server = /system", "/home/ann/.config/pulse/client.conf": DENIED}
    conf = read(within())
    assert conf.settings == {}
    (complaint,) = conf.complaints
    assert complaint.startswith("/home/ann/.config/pulse/client.conf: Permission denied; ")
    assert f"not even {SYSTEM}" in complaint
    files.texts["/home/ann/.pulse/client.conf"] = DENIED  # the second one's error counts
    del files.texts["/home/ann/.config/pulse/client.conf"]
    assert server(within()) == "/system"


def test_without_a_home_directory_nothing_is_read(within, files):
    files.texts |= {SYSTEM: "default-server = /system", "/config/client.conf": "default-server = /config"}
    conf = read(replace(within(), home=None))
    assert (conf.settings, conf.files) == ({}, ())
    assert "no home directory" in conf.complaints[0]
    assert server(replace(within(PULSE_CONFIG_PATH="/config"), home=None)) == "/config"
    assert server(replace(within(PULSE_CONFIG_PATH="/nothing"), home=None)) == "/system"


def test_pieces_beside_it_come_after_it_in_their_order(within, files):
    files.texts |= {
        SYSTEM: "default-server = /main\nautospawn = no",
        f"{SYSTEM}.d/20-b.conf": "\ndefault-server = /b",
        f"{SYSTEM}.d/10-a.conf": "default-server = /a",
        f"{SYSTEM}.d/30-c.conf": DENIED,
        f"{SYSTEM}.d/99.txt": "default-server = /no",
    }
    conf = read(within())
    assert conf.settings["default-server"] == Setting("/b", f"{SYSTEM}.d/20-b.conf:2")
    assert conf.switch("autospawn", default=True) is False
    assert conf.complaints == (f"{SYSTEM}.d/30-c.conf: Permission denied; libpulse leaves it out",)


def test_comments_and_empty_values_say_nothing(within, files):
    files.texts[SYSTEM] = "# default-server = /one\n ; default-server = /two\n\ncookie-file = a\ncookie-file =\n"
    assert read(within()).settings == {}
    files.texts[SYSTEM] = "  default-server=/three ; the third\n"
    assert server(within()) == "/three"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense", "'nonsense' has no ="),
        ("defaultserver = /x", "there is no key 'defaultserver'"),
        ("autospawn = perhaps", "autospawn = perhaps is neither yes nor no"),
        ("shm-size-bytes = much", "shm-size-bytes = much is no number"),
        ("[broken", "[broken is no section header"),
        ("[Properties]", "[Properties] may not be in this file"),
    ],
)
def test_behind_a_wrong_line_nothing_counts(within, files, line, said):
    files.texts |= {
        SYSTEM: f"default-server = /before\n{line}\ndefault-server = /behind\n",
        f"{SYSTEM}.d/x.conf": "cookie-file = biscuit",
    }
    conf = read(within())
    assert conf.text("default-server") == "/before"
    assert conf.text("cookie-file") == "biscuit"
    assert conf.complaints == (f"{SYSTEM}:2: {said}; libpulse reads this file no further",)


def test_other_files_may_be_included(within, files):
    files.texts |= {
        SYSTEM: ".include own.conf\n.include /gone.conf\n[General]\nautospawn = no",
        "/etc/pulse/own.conf": "default-server = /included",
    }
    conf = read(within())
    assert (conf.text("default-server"), conf.text("autospawn")) == ("/included", "no")
    files.texts["/etc/pulse/own.conf"] = ".include client.conf"
    assert "without end" in read(within()).complaints[0]


def test_files_that_each_include_the_next_one_often_come_to_an_end(within, files):
    files.texts[SYSTEM] = ".include 0"
    files.texts |= {f"/etc/pulse/{depth}": f".include {depth + 1}\n" * 1000 for depth in range(6)}
    files.texts["/etc/pulse/6"] = ""
    (complaint,) = read(within()).complaints
    assert "one of more than 256 pieces" in complaint


def test_a_directory_in_its_place(within, files):
    files.texts |= {"/home/ann/.pulse/client.conf": IsADirectoryError(21, "Is a directory"), SYSTEM: "autospawn = no"}
    conf = read(within())
    assert conf.settings == {}
    assert "Is a directory" in conf.complaints[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("YES", True), ("on", True), ("0", False), ("No", False), ("off", False), ("2", None), ("", None)],
)
def test_yes_and_no(text, value):
    assert boolean(text) is value
