"""How open real servers are, as `eardrum probe` finds out; and that they are the same afterwards."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from eardrum.testing.servers import EARDRUM

ROOT = Path(__file__).parents[2]
ALL_OPEN = {"see other programs", "hear what plays", "end other programs", "load modules", "change devices"}
OF_AN_OUTLET = {
    "see other programs": "outlet", "record a microphone": "closed", "hear what plays": "outlet",
    "end other programs": "outlet", "load modules": "closed", "change devices": "outlet",
    "learn who and where": "outlet", "share memory": "closed",
}  # fmt: skip


@pytest.fixture
def probed(stage):
    """Exit status, verdict, and the verdict on each question, of a server that is the same before and after."""

    def probe(address):
        before = state(stage, address)
        done = stage.run([EARDRUM, "probe", "--json", address])
        assert state(stage, address) == before
        said = json.loads(done.stdout)
        return done.returncode, said["verdict"], {it["question"]: it["verdict"] for it in said["findings"]}

    return probe


def state(stage, address):
    """All that a server says of itself but its clients, and what moves by itself."""
    kinds = ("sinks", "sources", "sink-inputs", "source-outputs", "modules", "samples", "cards")
    said = [stage.pactl(address, "list", kind) for kind in kinds]
    said += re.findall("^Default .*", stage.pactl(address, "info"), re.MULTILINE)
    return [re.sub("State: .*|Latency: .*", "", text) for text in said]


@pytest.mark.parametrize("server", ["pulseaudio", "pipewire_pulse"])
def test_a_raw_socket_is_open(request, probed, stage, until, server):
    address = request.getfixturevalue(server).address
    status, verdict, verdicts = probed(address)
    assert (status, verdict) == (1, "open")
    assert {question for question, verdict in verdicts.items() if verdict == "open"} >= ALL_OPEN
    assert "outlet" not in verdicts.values()
    assert stage.pactl(address, "list", "short", "source-outputs") == ""


def test_a_microphone_and_another_program_are_seen_on_a_raw_socket(stage, endless, until):
    server = stage.pulseaudio("probed", "-L", "module-null-source source_name=desk description=Desk")
    endless(server.address)
    until(lambda: stage.pactl(server.address, "list", "short", "sink-inputs"), "somebody to play")
    done = stage.run([EARDRUM, "probe", server.address])
    assert "\n  see other programs   open    all, and what they play; now 1: pacat\n" in done.stdout
    assert "\n  record a microphone  open    Desk\n" in done.stdout


@pytest.mark.parametrize(
    ("options", "differs"),
    [
        ({}, {}),
        ({"input": "silence"}, {"record a microphone": "outlet"}),
        ({"modules": True}, {"load modules": "outlet"}),
    ],
    ids=["to play", "with a microphone", "with modules"],
)
def test_an_outlet_is_closed_to_what_is_not_its_own(desk, probed, options, differs):
    outlet = desk.open("probed", output="room:hall", **options)
    assert probed(outlet.address) == (0, "outlet", OF_AN_OUTLET | differs)


@pytest.mark.parametrize("server", ["pulseaudio", "pipewire_pulse"])
def test_an_outlet_of_the_host_is_as_closed_and_nothing_of_the_probe_is_left_there(
    request, stage, open_desk, probed, server
):
    host = request.getfixturevalue(server)
    outlet = open_desk(upstream=host.address).open("probed", output="host", input="host")
    assert probed(outlet.address) == (0, "outlet", OF_AN_OUTLET | {"record a microphone": "outlet"})
    assert stage.pactl(host.address, "list", "short", "source-outputs") == ""


def test_serve_is_as_open_as_what_it_stands_for(stage, probed):
    assert probed(stage.serve("probed-serve", "--sink", "null").address)[:2] == (1, "open")


def test_in_a_container_the_server_is_found_as_programs_find_it(desk):
    done = desk.command("run", "--name=bot", "--output=null", "--", EARDRUM, "probe")
    assert done.returncode == 0, done.stderr
    assert "learn who and where  outlet  the outlet's name, bot\n" in done.stdout


def example(page, first):
    """The block on the page whose first line matches."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    (found,) = [block for language, block in blocks if not language and re.match(first, block)]
    return found


def masked(text):
    text = re.sub(r"^\S+ is ", "ADDRESS is ", text)
    return re.sub(r"user \S+, host \S+, cookie [0-9a-f]{8}", "WHO", text)


def test_the_pages_show_what_is_said(stage, desk, endless, until):
    server = stage.pulseaudio("shown", "-L", "module-null-source source_name=microphone description=Microphone")
    endless(server.address)
    until(lambda: stage.pactl(server.address, "list", "short", "sink-inputs"), "somebody to play")
    raw = stage.run([EARDRUM, "probe", server.address])
    outlet = desk.command("run", "--name=bot", "--output=null", "--", EARDRUM, "probe")
    for page in (ROOT / "README.md", ROOT / "docs/sound-and-containers.md"):
        assert masked(raw.stdout) == masked(example(page, ".* is pulseaudio"))
        assert masked(outlet.stdout) == masked(example(page, ".* is eardrum"))
