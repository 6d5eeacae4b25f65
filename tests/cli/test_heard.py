from __future__ import annotations

import json

import pytest
import soundfile
from click.testing import CliRunner, Result

from eardrum.cli import eardrum
from eardrum.testing.heard import stereo_tones, write_wav


@pytest.fixture
def listen(tmp_path, monkeypatch):
    """Run `eardrum heard WORDS…` in a directory with `tones.wav`: two seconds, left 440 Hz, right 660 Hz."""
    monkeypatch.chdir(tmp_path)
    write_wav(tmp_path / "tones.wav", stereo_tones(440, 660, seconds=2))

    def run(*words: str) -> Result:
        return CliRunner().invoke(eardrum, ["heard", *words])

    return run


def test_it_says_what_it_heard(listen):
    said = listen("tones.wav")
    assert (said.exit_code, said.stderr) == (0, "")
    first, second, left, right = said.stdout.splitlines()
    assert first == "tones.wav: 2.000 s at 48000 Hz, 2 channels"
    assert second.startswith("  sound from 0.000 s to 2.000 s")
    assert left.startswith("  left: level -15.1 dBFS, peak -12.0 dBFS; tones: 440.0 Hz at -12.0 dBFS")
    assert right.startswith("  right: ")


@pytest.mark.parametrize(
    "words",
    [
        "--tone 440 --not-silent --at-least 2s",
        "--tone 440 --tone 660 --tone left:440 --tone right:660 --tone 2:660",
        "--tone 430 --within 3 --no-gaps",
        "--channel left --tone 440 --at-most 2001ms --at-least 0.03min",
        "--at-most 1h --at-least 1.99",
        "--louder-than -16 --quieter-than -15",
    ],
)
def test_what_was_wanted(listen, words):
    said = listen("tones.wav", *words.split())
    assert (said.exit_code, said.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("--tone 880", "no tone of 880 Hz; its tones are left: 440.0 Hz"),
        ("--channel right --tone 440", "no tone of 440 Hz; its tones are right: 660.0 Hz"),
        ("--silent", "not silent: sound from 0.000 s to 2.000 s"),
        ("--at-least 3", "the sound lasts 2.000 s, not at least 3 s"),
        ("--quieter-than -40", "its level is -15.1 dBFS, not below -40"),
    ],
)
def test_what_is_missing(listen, words, line):
    said = listen("tones.wav", *words.split())
    assert said.exit_code == 1
    assert said.stdout.startswith("tones.wav: 2.000 s")
    assert said.stderr.startswith(f"eardrum: tones.wav: {line}")
    assert said.stderr.count("\n") == 1


def test_json(listen):
    said = listen("tones.wav", "--json", "--tone", "880")
    told = json.loads(said.stdout)
    assert said.exit_code == 1
    assert (told["file"], told["rate"], told["channels"][1]["name"]) == ("tones.wav", 48_000, "right")
    assert said.stderr == f"eardrum: tones.wav: {told['missing'][0]}\n"


@pytest.mark.parametrize("name", ["x.flac", "x.ogg", "x.aiff", "x.mp3"])
def test_every_format_of_libsndfile(listen, name):
    soundfile.write(name, stereo_tones(440, 660, seconds=1), 48_000)
    assert listen(name, "--tone", "left:440", "--tone", "right:660").exit_code == 0


def test_a_file_without_a_frame_is_silent(listen):
    soundfile.write("none.wav", stereo_tones(440, 660, seconds=0), 48_000)
    assert listen("none.wav", "--silent").exit_code == 0
    assert listen("none.wav", "--not-silent").exit_code == 1


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("nothing.wav", "nothing.wav: there is no such file"),
        (".", ".: is no regular file"),
        ("empty.wav", "empty.wav: cannot be read as a sound file: it is empty"),
        ("text.wav", "text.wav: cannot be read as a sound file: Format not recognised"),
        ("tones.wav --channel rear", "tones.wav: no channel is called 'rear'; there is left, right"),
        ("tones.wav --tone rear:440", "tones.wav: no channel is called 'rear'; there is left, right"),
    ],
)
def test_what_nothing_can_be_said_about(listen, tmp_path, words, line):
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("no sound")
    said = listen(*words.split())
    assert (said.exit_code, said.stdout, said.stderr) == (2, "", f"eardrum: {line}\n")


@pytest.mark.parametrize("words", ["--tone la", "--tone -3", "--tone left:", "--at-least 3d", "--at-most soon"])
def test_misuse(listen, words):
    said = listen("tones.wav", *words.split())
    assert said.exit_code == 2
    assert "use " in said.stderr.splitlines()[-1]
