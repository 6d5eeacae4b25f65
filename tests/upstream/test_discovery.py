"""Which addresses are tried, in which order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from eardrum.upstream.discovery import Surroundings, find

UID = 1000
OUTLETS = "/run/user/1000/eardrum/outlets"
SYSTEM = "/var/run/pulse/native"


@dataclass
class FakeFiles:
    """A machine as dictionaries: contents of files, targets of links, owners and modes of directories."""

    texts: dict[str, str] = field(default_factory=lambda: {"/etc/machine-id": "abc\n"})
    links: dict[str, str] = field(default_factory=dict)
    directories: dict[str, tuple[int, int]] = field(default_factory=dict)
    reals: dict[str, str] = field(default_factory=dict)

    def text(self, path: str) -> str | None:
        return self.texts.get(path)

    def names(self, path: str) -> list[str]:
        return [name.removeprefix(path + "/") for name in self.texts if name.startswith(path + "/")]

    def link(self, path: str) -> str | None:
        return self.links.get(path)

    def owner_and_mode(self, path: str) -> tuple[int, int] | None:
        return self.directories.get(path)

    def real(self, path: str) -> str:
        return self.reals.get(path, path)


@pytest.fixture
def files() -> FakeFiles:
    return FakeFiles()


@pytest.fixture
def around(files: FakeFiles) -> Surroundings:
    return Surroundings({}, UID, "/home/ann", "piano", files, OUTLETS)


def within(around: Surroundings, **environment: str) -> Surroundings:
    return replace(around, environment=environment)


# --- which list counts ------------------------------------------------------------------------------------------------


def test_what_a_person_named_comes_first(around, files):
    files.texts["/etc/pulse/client.conf"] = "default-server = /conf"
    around = within(around, PULSE_SERVER="/environment", XDG_RUNTIME_DIR="/run/user/1000")
    assert find(around, "unix:/named").paths == ("/named",)
    assert find(around).paths == ("/environment",)
    assert find(within(around)).paths == ("/conf",)


def test_the_usual_places_are_the_users_and_then_the_systems(around, files):
    files.directories["/run/user/1000"] = (UID, 0o700)
    assert find(within(around, XDG_RUNTIME_DIR="/run/user/1000")).paths == ("/run/user/1000/pulse/native", SYSTEM)


def test_pulse_runtime_path_replaces_the_users_directory(around):
    around = within(around, PULSE_RUNTIME_PATH="/my/pulse", XDG_RUNTIME_DIR="/run/user/1000")
    assert find(around).paths == ("/my/pulse/native", SYSTEM)


def test_a_runtime_directory_of_somebody_else_is_left_out(around, files):
    files.directories["/run/user/1000"] = (0, 0o700)
    found = find(within(around, XDG_RUNTIME_DIR="/run/user/1000"))
    assert found.paths == (SYSTEM,)
    assert found.notes == ("XDG_RUNTIME_DIR /run/user/1000: belongs to uid 0, we are 1000",)


@pytest.mark.parametrize(
    ("environment", "link"),
    [
        ({}, "/home/ann/.config/pulse/abc-runtime"),
        ({"XDG_CONFIG_HOME": "/conf"}, "/conf/pulse/abc-runtime"),
    ],
)
def test_the_link_to_a_directory_below_tmp_is_followed(around, files, environment, link):
    files.links[link] = "/tmp/pulse-XyZ"
    files.directories["/tmp/pulse-XyZ"] = (UID, 0o700)
    assert find(within(around, **environment)).paths == ("/tmp/pulse-XyZ/native", SYSTEM)


def test_the_old_state_directory_counts_where_it_is(around, files):
    files.directories["/home/ann/.pulse"] = (UID, 0o700)
    files.directories["/tmp/pulse-XyZ"] = (UID, 0o700)
    files.links["/home/ann/.pulse/abc-runtime"] = "/tmp/pulse-XyZ"
    assert find(around).paths == ("/tmp/pulse-XyZ/native", SYSTEM)


def test_without_a_machine_id_the_link_is_named_like_the_host(around, files):
    files.texts.clear()
    files.links["/home/ann/.config/pulse/piano-runtime"] = "/tmp/pulse-XyZ"
    files.directories["/tmp/pulse-XyZ"] = (UID, 0o700)
    assert find(around).paths == ("/tmp/pulse-XyZ/native", SYSTEM)


@pytest.mark.parametrize("there", [(0, 0o700), (UID, 0o755), (UID, 0o1777), None])
def test_a_directory_that_others_may_have_made_is_left_out(around, files, there):
    files.links["/home/ann/.config/pulse/abc-runtime"] = "/tmp/pulse-XyZ"
    if there:
        files.directories["/tmp/pulse-XyZ"] = there
    found = find(around)
    assert found.paths == (SYSTEM,)
    assert "does not lead to a directory that is ours alone" in found.notes[0]


def test_a_link_that_is_not_absolute_is_left_out(around, files):
    files.links["/home/ann/.config/pulse/abc-runtime"] = "pulse-XyZ"
    files.directories["pulse-XyZ"] = (UID, 0o700)
    assert find(around).paths == (SYSTEM,)


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "paths"),
    [
        ("/a/b", ("/a/b",)),
        ("unix:/a/b", ("/a/b",)),
        ("{abc}unix:/a/b", ("/a/b",)),
        ("{abc}/a/b", ("/a/b",)),
        (" unix:/one\tunix:/two  /three\n", ("/one", "/two", "/three")),
        ("/a /a unix:/a", ("/a",)),
        ("{other}unix:/a /b", ("/b",)),
    ],
)
def test_addresses_are_read_as_libpulse_reads_them(around, address, paths):
    assert find(around, address).paths == paths


@pytest.mark.parametrize(
    ("address", "note"),
    [
        ("tcp:host:4713", "is a network address"),
        ("tcp4:10.0.0.1", "is a network address"),
        ("tcp6:[::1]:4713", "is a network address"),
        ("host.example", "is a network address"),
        ("@abstract", "is a network address"),
        ("unix:relative", "no absolute path"),
        ("{abc", "no address"),
        ("{other}unix:/a", "is for another machine"),
    ],
)
def test_what_is_no_socket_here_is_left_out_with_a_note(around, address, note):
    found = find(around, address)
    assert found.paths == ()
    assert len(found.notes) == 1
    assert found.notes[0].startswith(f"{address}: ")
    assert note in found.notes[0]


def test_an_outlet_of_this_desk_is_never_taken(around, files):
    files.reals = {"/short/native": f"{OUTLETS}/radio/native", "/run/pulse/native": "/run/pulse/native"}
    found = find(around, f"{OUTLETS}/radio/native /short/native /run/pulse/native {OUTLETS}-not/native")
    assert found.paths == ("/run/pulse/native", f"{OUTLETS}-not/native")
    assert all("is an outlet of this desk" in note for note in found.notes)
    assert len(found.notes) == 2


# --- client.conf ------------------------------------------------------------------------------------------------------


def test_only_the_first_client_conf_counts(around, files):
    order = [
        "/given.conf",
        "/config/client.conf",
        "/home/ann/.pulse/client.conf",
        "/home/ann/.config/pulse/client.conf",
        "/etc/pulse/client.conf",
    ]
    files.texts |= {path: f"default-server = {path}.socket" for path in order}
    around = within(around, PULSE_CLIENTCONFIG="/given.conf", PULSE_CONFIG_PATH="/config")
    assert find(around).paths == ("/given.conf.socket",)
    del files.texts["/given.conf"]
    assert find(around).paths[-1] == SYSTEM
    around = within(around, PULSE_CONFIG_PATH="/config")
    for path in order[1:]:
        assert find(around).paths == (f"{path}.socket",)
        del files.texts[path]


def test_pieces_beside_client_conf_come_after_it_in_their_order(around, files):
    files.texts |= {
        "/etc/pulse/client.conf": "default-server = /main",
        "/etc/pulse/client.conf.d/20-b.conf": "default-server = /b",
        "/etc/pulse/client.conf.d/10-a.conf": "default-server = /a",
        "/etc/pulse/client.conf.d/99.txt": "default-server = /no",
    }
    assert find(around).paths == ("/b",)


def test_comments_and_empty_values_say_nothing(around, files):
    files.texts["/etc/pulse/client.conf"] = (
        "# default-server = /one\n; default-server = /two\ndefault-server =\nnonsense\n"
    )
    assert find(around).paths == (SYSTEM,)
    files.texts["/etc/pulse/client.conf"] = "  default-server=/three ; the third\n"
    assert find(around).paths == ("/three",)


# --- the cookie -------------------------------------------------------------------------------------------------------


def test_cookies_are_looked_for_in_libpulses_order(around, files):
    assert find(around).cookies == ("/home/ann/.config/pulse/cookie", "/home/ann/.pulse-cookie")
    files.texts["/etc/pulse/client.conf"] = "cookie-file = biscuit"
    around = within(around, PULSE_COOKIE="/my/cookie", XDG_CONFIG_HOME="/conf")
    assert find(around).cookies == (
        "/my/cookie",
        "/conf/pulse/biscuit",
        "/conf/pulse/cookie",
        "/home/ann/.pulse-cookie",
    )
