"""Outlets with a gate before real servers: programs play as without it, and planted code reaches nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from eardrum.kernel.upstream_socket import connect
from eardrum.protocol.catalog import (
    Exit,
    GetModuleInfoList,
    KillClient,
    KillSinkInput,
    LoadModule,
    SetClientName,
    SetDefaultSink,
    SetSinkMute,
    Stat,
    StatReply,
    SuspendSink,
    UnloadModule,
)
from eardrum.protocol.message import wire_name
from eardrum.server.events import OUTPUT
from eardrum.terms.names import WireEnd
from eardrum.terms.properties import introduction
from eardrum.testing.crowd import Crowd, Ear, Mortal
from eardrum.testing.servers import Desk, Stage, wait_until
from eardrum.testing.workers import Caller, Workers
from eardrum.worker.records import Kind, Record, end_in_pipe

PATIENCE = 30.0  # seconds
PLANTED = Path(__file__).parent / "programs/planted.py"
ORDERS = (
    LoadModule(name="module-null-sink", argument="sink_name=planted"),
    Exit(),
    UnloadModule(index=0),
    KillClient(index=0),
    KillSinkInput(index=0),
    SetSinkMute(index=0, muted=True),
    SetDefaultSink(name="planted"),
    SuspendSink(index=0, suspend=True),
    GetModuleInfoList(),
)


@pytest.fixture
def theatre():
    """A stage of its own: the server on it dies."""
    with Stage() as stage:
        yield stage


@pytest.mark.parametrize("kind", ["pulseaudio", "pipewire_pulse"])
def test_programs_outlive_their_server_and_their_gate(theatre, kind):
    host = Mortal(theatre, kind)
    desk = theatre.desk(upstream=host.address)
    outlet = desk.open("box", output=f"host:{host.SINKS[0]}", gate=True)
    assert desk.list()["box"]["gate"]
    crowd = Crowd(theatre)
    for program in ("watched", "ffmpeg"):
        crowd.play(program, outlet.address)
    tones = [player.tone for player in crowd.players]

    def heard() -> None:
        with Ear(host.address, f"{host.SINKS[0]}.monitor") as ear:
            ear.listen_for(tones, PATIENCE)

    heard()
    host.kill(signal.SIGKILL)
    host.start()
    heard()
    gate = desk.list()["box"]["gate_process"]
    os.kill(gate, signal.SIGKILL)
    wait_until(lambda: desk.list()["box"]["gate_process"] not in (None, gate), "another gate", PATIENCE)
    heard()
    assert crowd.lost == []


def test_a_room_needs_none_and_the_way_back_to_the_host_has_it_again(theatre):
    host = Mortal(theatre, "pulseaudio")
    desk = theatre.desk(upstream=host.address)
    outlet = desk.open("box", output="room:hall", gate=True)
    crowd = Crowd(theatre)
    tones = [crowd.play("watched", outlet.address).tone]
    wait_until(lambda: desk.list()["box"]["wires"]["output"]["state"] == "connected", "the room", PATIENCE)
    assert desk.list()["box"]["gate_process"] is None
    desk.command("rewire", "box", "--output", f"host:{host.SINKS[0]}")
    with Ear(host.address, f"{host.SINKS[0]}.monitor") as ear:
        ear.listen_for(tones, PATIENCE)
    assert desk.list()["box"]["gate_process"]
    assert crowd.lost == []


@pytest.mark.parametrize("gate", [False, True], ids=["no gate", "gate"])
def test_what_a_worker_that_was_taken_over_reaches(theatre, gate):
    """With nothing between, all that a program of the person reaches."""
    host = theatre.pulseaudio("host")
    runtime = theatre.make_directory("runtime")
    process = theatre.start("taken-over", [sys.executable, str(PLANTED), str(runtime), host.address])
    desk = Desk(theatre, runtime, process)
    theatre.await_listener(process, "taken-over", runtime / "control")
    outlet = desk.open("box", output="host", gate=gate)

    def modules() -> str:
        return theatre.pactl(host.address, "list", "short", "modules")

    before = modules()
    with Caller.at(outlet.address) as program:
        program.play()
        if not gate:
            wait_until(lambda: "sink_name=planted" in modules(), "the module that the worker loads", PATIENCE)
            return
        for _ in "LOAD_MODULE", "EXIT":
            since = desk.list()["box"]["wires"]["output"]["since"]
            wait_until(lambda: desk.list()["box"]["wires"]["output"]["since"] != since, "another connection", PATIENCE)  # noqa: B023
        assert modules() == before
        assert program.ask(Stat()) == StatReply()
    said = [line for line in theatre.log("taken-over").splitlines() if "taken over" in line]
    assert len(said) == 1
    assert said[0].startswith("eardrum: outlet box: ")
    assert "(LOAD_MODULE)" in said[0]


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
    workers = Workers(tmp_path_factory.mktemp("workers"))
    yield workers
    workers.close()


def test_orders_that_planted_code_gives_do_not_arrive(pulseaudio, stage, workers):
    """It has what a worker has: its end of a connection that the desk has led through the gate."""
    before = stage.pactl(pulseaudio.address, "list", "short", "modules")
    gate = workers.gate()
    for order in ORDERS:
        server, version = asyncio.run(connect(pulseaudio.address.removeprefix("unix:"), ()))
        ours, theirs = socket.socketpair()
        pipe = end_in_pipe(WireEnd("host"))
        with server, theirs:
            gate.says(Record(Kind.PASS, OUTPUT, version), (server.fileno(), theirs.fileno(), pipe))
        os.close(pipe)
        with Caller(ours, version) as planted:
            planted.ask(SetClientName(proplist=introduction("box")))
            planted.say(order)
            assert gate.hears(Kind.REFUSED) == Record(Kind.REFUSED, OUTPUT, order.CODE), wire_name(type(order))
            assert planted.ends()
    assert stage.pactl(pulseaudio.address, "list", "short", "modules") == before
    assert "Mute: no" in stage.pactl(pulseaudio.address, "list", "sinks")
    gate.close()
    assert gate.ends() == 0
