"""Which addresses are tried, in which order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eardrum.upstream.addresses import Address
from eardrum.upstream.discovery import CookieFile, find, search

UID = 1000
OUTLETS = "/run/user/1000/eardrum/outlets"
SYSTEM = "/var/run/pulse/native"


# --- which list counts ------------------------------------------------------------------------------------------------


def test_what_a_person_named_comes_first(within, files):
    files.texts["/etc/pulse/client.conf"] = "default-server = /conf"
    around = within(PULSE_SERVER="/environment", XDG_RUNTIME_DIR="/run/user/1000")
    assert find(around, "unix:/named").paths == ("/named",)
    assert find(around).paths == ("/environment",)
    assert find(within()).paths == ("/conf",)


def test_the_usual_places_are_the_users_and_then_the_systems(within, files):
    files.directories["/run/user/1000"] = (UID, 0o700)
    assert find(within(XDG_RUNTIME_DIR="/run/user/1000")).paths == ("/run/user/1000/pulse/native", SYSTEM)


def test_pulse_runtime_path_replaces_the_users_directory(within):
    around = within(PULSE_RUNTIME_PATH="/my/pulse", XDG_RUNTIME_DIR="/run/user/1000")
    assert find(around).paths == ("/my/pulse/native", SYSTEM)


def test_a_runtime_directory_of_somebody_else_is_left_out(within, files):
    files.directories["/run/user/1000"] = (0, 0o700)
    found = find(within(XDG_RUNTIME_DIR="/run/user/1000"))
    assert found.paths == (SYSTEM,)
    assert found.notes == ("/run/user/1000/pulse/native: XDG_RUNTIME_DIR belongs to uid 0, we are 1000",)


@pytest.mark.parametrize(
    ("environment", "link"),
    [
        ({}, "/home/ann/.config/pulse/abc-runtime"),
        ({"XDG_CONFIG_HOME": "/conf"}, "/conf/pulse/abc-runtime"),
    ],
)
def test_the_link_to_a_directory_below_tmp_is_followed(within, files, environment, link):
    files.links[link] = "/tmp/pulse-XyZ"
    files.directories["/tmp/pulse-XyZ"] = (UID, 0o700)
    assert find(within(**environment)).paths == ("/tmp/pulse-XyZ/native", SYSTEM)


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


def test_client_conf_names_the_server_and_the_cookie(within, files):
    files.texts["/etc/pulse/client.conf"] = "default-server = /conf\ncookie-file = biscuit\n"
    found = find(within())
    assert found.paths == ("/conf",)
    assert found.cookies[0] == "/home/ann/.config/pulse/biscuit"


# --- the cookie -------------------------------------------------------------------------------------------------------


def test_cookies_are_looked_for_in_libpulses_order(within, files):
    assert find(within()).cookies == ("/home/ann/.config/pulse/cookie", "/home/ann/.pulse-cookie")
    files.texts["/etc/pulse/client.conf"] = "cookie-file = biscuit"
    around = within(PULSE_COOKIE="/my/cookie", XDG_CONFIG_HOME="/conf")
    assert find(around).cookies == (
        "/my/cookie",
        "/conf/pulse/biscuit",
        "/conf/pulse/cookie",
        "/home/ann/.pulse-cookie",
    )


def test_a_cookie_of_the_x11_display_comes_after_the_variables(within):
    around = within(PULSE_COOKIE="/my/cookie", SSH_CONNECTION="", DISPLAY=":0")
    around = replace(around, root_window={"PULSE_COOKIE": "2a" * 256})
    assert search(around).cookies[:2] == (
        CookieFile("/my/cookie", "PULSE_COOKIE", made=True),
        CookieFile("", "the X11 property PULSE_COOKIE", content=b"*" * 256),
    )
    assert find(around).cookies == ("/my/cookie", "/home/ann/.config/pulse/cookie", "/home/ann/.pulse-cookie")
    short = replace(around, root_window={"PULSE_COOKIE": "2a"})
    assert search(short).cookies == tuple(cookie for cookie in search(around).cookies if cookie.path)


# --- the whole search -------------------------------------------------------------------------------------------------


def tried(around):
    return [(place.address, place.because) for place in search(around).places if not place.note]


def hidden(around):
    looked = search(around)
    return {place.address: place.note for place in (*looked.places, *looked.elsewhere) if place.note}


def test_every_place_tells_what_leads_there(within, files):
    files.texts["/etc/pulse/client.conf"] = "auto-connect-localhost = yes\nauto-connect-display = yes\n"
    assert tried(within(XDG_RUNTIME_DIR="/run/user/1000", DISPLAY="piano:0")) == [
        ("/run/user/1000/pulse/native", "XDG_RUNTIME_DIR"),
        (SYSTEM, "always"),
        ("tcp4:127.0.0.1", "auto-connect-localhost"),
        ("tcp6:[::1]", "auto-connect-localhost"),
        ("piano", "auto-connect-display"),
    ]


def test_what_a_setting_hides_is_told(within, files):
    files.texts["/etc/pulse/client.conf"] = "\ndefault-server = /conf"
    around = within(PULSE_SERVER="/a tcp:b", XDG_RUNTIME_DIR="/run/user/1000")
    assert tried(around) == [("/a", "PULSE_SERVER"), ("tcp:b", "PULSE_SERVER")]
    assert search(around).places[1].at == Address(host="b", version=4)
    assert {place.address for place in search(around).elsewhere} > {"/conf", "/run/user/1000/pulse/native", SYSTEM}
    assert hidden(around)["/conf"] == "PULSE_SERVER names the server"
    assert search(around).elsewhere[0].because == "default-server in /etc/pulse/client.conf:2"


def test_an_empty_list_is_no_server_at_all(within):
    assert tried(within(PULSE_SERVER="")) == []
    assert "Invalid server" in hidden(within(PULSE_SERVER=""))['""']


def test_the_x11_display_counts_in_a_session_over_ssh_only(within):
    window = {"PULSE_SERVER": "{abc}unix:/shown tcp:piano"}
    around = replace(within(DISPLAY=":0"), root_window=window)
    assert "SSH_CONNECTION" in hidden(around)["{abc}unix:/shown"]
    around = replace(within(DISPLAY=":0", SSH_CONNECTION="a"), root_window=window)
    assert [address for address, _ in tried(around)] == ["{abc}unix:/shown", "tcp:piano"]
    around = replace(within(DISPLAY=":0", SSH_CONNECTION="a", PULSE_SERVER="/mine"), root_window=window)
    assert tried(around) == [("/mine", "PULSE_SERVER")]


@pytest.mark.parametrize(
    ("there", "powerful", "note"),
    [
        ((UID, 0o755), False, ""),
        ((0, 0o700), False, "is 0:1000 0700 and libpulse cannot make it 1000:1000 0700"),
        ((0, 0o700), True, ""),
    ],
)
def test_a_directory_that_libpulse_cannot_make_its_own_is_passed_over(within, files, there, powerful, note):
    files.directories |= {"/run/user/1000": (UID, 0o700), "/run/user/1000/pulse": there}
    files.powerful = powerful
    (place, _) = search(within(XDG_RUNTIME_DIR="/run/user/1000")).places
    assert note in place.note
    assert bool(note) == bool(place.note)


def test_a_directory_that_is_a_link_or_cannot_be_looked_at_is_passed_over(within, files):
    files.links["/my/pulse"] = "/run/user/1000/pulse"
    assert "is a link" in hidden(within(PULSE_RUNTIME_PATH="/my/pulse"))["/my/pulse/native"]
    files.barred = {"/barred", "/shut"}
    assert "Permission denied" in hidden(within(PULSE_RUNTIME_PATH="/barred"))["/barred/native"]
    assert "cannot make it" in hidden(within(PULSE_RUNTIME_PATH="/shut/pulse"))["/shut/pulse/native"]


def test_without_a_home_directory_the_systems_socket_is_left(within):
    around = replace(within(), home=None)
    assert tried(around) == [(SYSTEM, "always")]
    assert search(around).cookies == ()
    assert "no home directory" in hidden(around)["the user's own socket"]


def test_in_somebody_elses_home_directory_no_link_is_looked_for(within, files):
    files.directories["/home/ann"] = (7, 0o755)
    assert "belongs to uid 7" in hidden(within())["/home/ann/.config/pulse/abc-runtime/native"]
    files.directories["/home/ann"] = (0, 0o755)
    files.barred = {"/home/ann/.config"}
    assert "cannot make it" in hidden(within())["/home/ann/.config/pulse/abc-runtime/native"]


def test_the_first_machine_id_that_opens_counts_even_if_it_is_empty(within, files):
    files.texts |= {"/etc/machine-id": "", "/var/lib/dbus/machine-id": "abc"}
    files.links["/home/ann/.config/pulse/piano-runtime"] = "/tmp/p"
    files.directories["/tmp/p"] = (UID, 0o700)
    assert find(within()).paths == ("/tmp/p/native", SYSTEM)


@pytest.mark.parametrize(
    ("environment", "conf", "program"),
    [
        ({}, "", "/usr/bin/pulseaudio"),
        ({}, "autospawn = no", ""),
        ({}, "daemon-binary = /opt/pa", "/opt/pa"),
        ({"PULSE_BINARY": "/my/pa"}, "daemon-binary = /opt/pa", "/my/pa"),
        ({}, "default-server = /conf", "/usr/bin/pulseaudio"),
        ({"PULSE_SERVER": "/mine"}, "", ""),
        ({"SSH_CONNECTION": "a", "DISPLAY": ":0"}, "", ""),
        ({"SSH_CONNECTION": "a", "DISPLAY": ":0", "XDG_SESSION_ID": "7"}, "", "/usr/bin/pulseaudio"),
    ],
)
def test_who_starts_a_server_when_none_answers(within, files, environment, conf, program):
    files.texts["/etc/pulse/client.conf"] = conf
    around = replace(within(**environment), root_window={"PULSE_SERVER": "/x", "PULSE_SESSION_ID": "7"})
    assert search(around).autospawn == program
    assert search(around).autospawns is (None if program else False)
    files.texts["/etc/pulse/client.conf"] = f"{conf}\nautospawn = on"
    assert search(around).autospawns is bool(search(around).autospawn)
    assert search(replace(around, uid=0)).autospawn == ""


PIECES = (
    "unix:",
    "tcp:",
    "tcp6:",
    "{abc}",
    "{",
    "}",
    "[",
    "]",
    ":",
    "/",
    "/a",
    " ",
    "::1",
    "99999",
    "yes",
    "=",
    "#",
    "\n",
)
KEYS = (
    "default-server",
    "cookie-file",
    "autospawn",
    "auto-connect-localhost",
    "auto-connect-display",
    ".include ",
    "[",
)
VARIABLES = (
    "PULSE_SERVER",
    "PULSE_RUNTIME_PATH",
    "XDG_RUNTIME_DIR",
    "PULSE_COOKIE",
    "DISPLAY",
    "SSH_CONNECTION",
    "HOME",
)
texts = st.lists(st.sampled_from(PIECES + KEYS) | st.text(max_size=5), max_size=8).map("".join)


@given(environment=st.dictionaries(st.sampled_from(VARIABLES), texts), conf=texts, window=texts)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_set_every_place_is_to_be_tried_or_tells_why_not(within, files, environment, conf, window):
    files.texts["/etc/pulse/client.conf"] = conf
    around = replace(within(**environment), root_window={"PULSE_SERVER": window, "PULSE_COOKIE": window})
    looked = search(around)
    assert all(place.at or place.note for place in looked.places)
    assert all(place.note for place in looked.elsewhere)
    assert all("\n" not in line for line in looked.conf.complaints)
