from __future__ import annotations

import json

import numpy as np
import pytest

from eardrum.sound.heard import Channel, Gap, Heard, Tone, listen
from eardrum.sound.report import Wanted, WantedTone, as_json, in_words, missing
from eardrum.terms.errors import Complaint

A = Tone(440.04, 0.25, 0.0, 2.0, 2.0)
E = Tone(659.3, 0.1, 1.0, 2.0, 1.0)
LEFT = Channel("left", 0.1, 0.25, (A, E), ())
RIGHT = Channel("right", 0.05, 0.25, (A,), (Gap(0.5, 0.512), Gap(1.0, 1.25)))
STEREO = Heard(48_000, 120_000, 0.1, 2.1, (LEFT, RIGHT))
NOTHING = listen(np.zeros((48_000, 1), np.float32), 48_000)


def test_in_words():
    a = "440.0 Hz at -12.0 dBFS (0.0 to 2.0 s)"
    assert in_words(STEREO) == [
        "2.500 s at 48000 Hz, 2 channels",
        "sound from 0.100 s to 2.100 s, that is 2.000 s",
        f"left: level -20.0 dBFS, peak -12.0 dBFS; tones: {a}, 659.3 Hz at -20.0 dBFS (1.0 to 2.0 s); gaps: none",
        f"right: level -26.0 dBFS, peak -12.0 dBFS; tones: {a}; gaps: 0.012 s at 0.500 s, 0.250 s at 1.000 s",
    ]


def test_silence_in_words():
    assert in_words(NOTHING) == ["1.000 s at 48000 Hz, 1 channel", "silence"]
    half = Heard(48_000, 48_000, 0.0, 1.0, (LEFT, Channel("right", 0.0, 0.0, (), ())))
    assert in_words(half)[-1] == "right: silence"


def test_only_the_first_are_told():
    rich = Channel("mono", 0.1, 0.25, (A,) * 7, (Gap(0.5, 0.6),) * 6)
    told = in_words(Heard(48_000, 48_000, 0.0, 1.0, (rich,)))[-1]
    assert (told.count("440.0 Hz"), told.count("0.100 s")) == (5, 5)
    assert "(0.0 to 2.0 s), 2 more; gaps" in told
    assert told.endswith(", 1 more")


def test_as_json():
    told = json.loads(json.dumps(as_json(STEREO), allow_nan=False))
    assert told["channels"][0]["tones"][0]["frequency"] == 440.04
    assert told["channels"][1]["gaps"][0] == {"begin": 0.5, "end": 0.512}
    assert as_json(NOTHING)["channels"][0]["peak"] is None


@pytest.mark.parametrize(
    ("heard", "wanted"),
    [
        (STEREO, Wanted()),
        (STEREO, Wanted(tones=(WantedTone(440), WantedTone(659), WantedTone(440, "right"), WantedTone(659, "1")))),
        (STEREO, Wanted(tones=(WantedTone(450),), within=0.03)),
        (STEREO, Wanted(silent=False, at_least=2, at_most=2, louder_than=-21, quieter_than=-19)),
        (STEREO, Wanted(channel="left", no_gaps=True)),
        (STEREO, Wanted(channel="2", louder_than=-27, quieter_than=-25)),
        (NOTHING, Wanted(silent=True, at_least=1, at_most=1, no_gaps=True, quieter_than=-90)),
        (listen(np.zeros((0, 2), np.float32), 48_000), Wanted(silent=True, at_most=0)),
    ],
)
def test_nothing_is_missing(heard, wanted):
    assert list(missing(heard, wanted)) == []


@pytest.mark.parametrize(
    ("heard", "wanted", "line"),
    [
        (STEREO, Wanted(silent=True), "not silent: sound from 0.100 s to 2.100 s, peak -12.0 dBFS"),
        (NOTHING, Wanted(silent=False), "silent"),
        (STEREO, Wanted(at_least=2.1), "the sound lasts 2.000 s, not at least 2.1 s"),
        (STEREO, Wanted(at_most=1.9), "the sound lasts 2.000 s, not at most 1.9 s"),
        (NOTHING, Wanted(silent=True, at_least=3), "the file lasts 1.000 s, not at least 3 s"),
        (STEREO, Wanted(no_gaps=True), "right has gaps: 0.012 s at 0.500 s, 0.250 s at 1.000 s"),
        (STEREO, Wanted(louder_than=-20), "its level is -20.0 dBFS, not above -20"),
        (STEREO, Wanted(quieter_than=-20), "its level is -20.0 dBFS, not below -20"),
        (STEREO, Wanted(tones=(WantedTone(659, "right"),)), "no tone of 659 Hz in right; its tones are right: 440.0 "),
        (NOTHING, Wanted(tones=(WantedTone(440),)), "no tone of 440 Hz; its tones are mono: none"),
        (STEREO, Wanted(channel="right", tones=(WantedTone(659),)), "no tone of 659 Hz; its tones are right: 440.0 "),
    ],
)
def test_what_is_missing(heard, wanted, line):
    (told,) = missing(heard, wanted)
    assert told.startswith(line)


@pytest.mark.parametrize("wanted", [Wanted(channel="middle"), Wanted(tones=(WantedTone(440, "middle"),))])
def test_a_channel_that_is_not_there(wanted):
    with pytest.raises(Complaint, match="no channel is called 'middle'; there is left, right") as caught:
        list(missing(STEREO, wanted))
    assert caught.value.status == 2
