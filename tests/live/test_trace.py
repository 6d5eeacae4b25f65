"""`eardrum trace NAME`: a person watches an outlet while a real program uses it."""

from __future__ import annotations

import json


def test_an_outlets_conversation_is_shown_live_with_reasons(desk, stage, until):
    outlet = desk.open("watched", output="null")
    shown = stage.directory / "trace.txt"
    with shown.open("wb") as out:
        trace = desk.start("trace", "trace", "watched", stdout=out)

    def tries() -> bool:  # until the watcher is there
        stage.run(["pactl", "load-module", "module-null-sink"], {"PULSE_SERVER": outlet.address})
        return "refuses=LOAD_MODULE" in shown.read_text()

    until(tries, "the trace to show a command")
    text = shown.read_text()
    assert "> LOAD_MODULE tag=2 name='module-null-sink'" in text
    assert "< ERROR tag=2 code=ACCESS refuses=LOAD_MODULE because='needs MODULES|OWN'" in text
    desk.close("watched")
    assert trace.wait(30) == 1
    assert "is not open" in stage.log("trace")


def test_programs_get_json_and_sound_when_they_want_it(desk, stage, sounds, until):
    outlet = desk.open("watched", output="null")
    shown = stage.directory / "trace.json"
    with shown.open("wb") as out:
        desk.start("trace", "trace", "--json", "--audio", "watched", stdout=out)
    until(lambda: desk.list()["watched"]["worker"], "the worker that is watched")
    stage.play(outlet.address, sounds / "tone.wav")
    until(lambda: "DELETE_PLAYBACK_STREAM" in shown.read_text(), "the end of the stream")
    told = [json.loads(line) for line in shown.read_text().splitlines()]
    commands = [message["command"] for message in told if "command" in message]
    assert commands[:4] == ["AUTH", "AUTH_REPLY", "SET_CLIENT_NAME", "CLIENT_NAMED"]
    played = sum(message["sound"]["bytes"] for message in told if "sound" in message)
    assert played == 96_000 * 4
