"""What people type behind --socket."""

from __future__ import annotations

from pathlib import Path

import pytest

from eardrum.cli.served_place import Place, parsed
from eardrum.server.admission import NOBODY_ELSE, Admission
from eardrum.terms.errors import Complaint


@pytest.mark.parametrize(
    ("said", "admission", "mode", "given_to"),
    [
        ("/a", NOBODY_ELSE, 0o600, None),
        ("/a,auth=uid", NOBODY_ELSE, 0o600, None),
        ("/a,mode=0666", NOBODY_ELSE, 0o666, None),
        ("/a,auth=anonymous", Admission(anonymous=True), 0o666, None),
        ("/a,auth=anonymous,mode=660", Admission(anonymous=True), 0o660, None),
        ("/a,auth=group:audio", Admission(group="audio"), 0o660, "audio"),
        ("/a,auth=group:audio,mode=0666", Admission(group="audio"), 0o666, None),
        ("/a,auth=group:29,auth=cookie:/c,mode=0660", Admission(group="29", cookie="/c"), 0o660, "29"),
        ("/a,auth=cookie:/c", Admission(cookie="/c"), 0o666, None),
        ("/a,auth=group:x,auth=cookie:/c", Admission(group="x", cookie="/c"), 0o666, None),
    ],
)
def test_a_place(said, admission, mode, given_to):
    place = parsed(said)
    assert (place.path, place.admission, place.file_mode, place.given_to) == (Path("/a"), admission, mode, given_to)


def test_paths_are_where_it_was_typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parsed("s,auth=cookie:c") == Place(tmp_path / "s", Admission(cookie=f"{tmp_path}/c"))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("", "names no path"),
        (",auth=uid", "names no path"),
        ("/a,auth=root", "auth=root: use uid, group:NAME, cookie:FILE or anonymous"),
        ("/a,auth=", "auth=: use uid"),
        ("/a,auth=uid:3", "auth=uid:3: use uid"),
        ("/a,auth=group", "auth=group: use uid"),
        ("/a,auth=group:", "auth=group:: use uid"),
        ("/a,auth=anonymous:", "auth=anonymous:: use uid"),
        ("/a,auth=group:a,auth=group:b", "one group can be let in; use a second --socket"),
        ("/a,auth=cookie:a,auth=cookie:b", "one cookie can be let in"),
        ("/a,mode=rw", "mode=rw: use an octal mode"),
        ("/a,mode=0066", "use an octal mode"),
        ("/a,mode=7777", "use an octal mode"),
        ("/a,audio", "'audio' is neither auth=WHO nor mode=MODE"),
        ("/a,b,auth=uid", "'b' is neither"),
    ],
)
def test_what_cannot_be_meant_is_told(said, why):
    with pytest.raises(Complaint, match=why) as told:
        parsed(said)
    assert told.value.status == 2
    assert str(told.value).startswith(f"--socket {said}: ")
