from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from eardrum.cli import options
from eardrum.cli.options import default_runtime, is_makeshift
from eardrum.terms.errors import Complaint

NOBODY = 65_111  # a uid that nobody here has


@pytest.mark.parametrize(
    ("environ", "uid", "runtime"),
    [
        ({"XDG_RUNTIME_DIR": "/run/user/7"}, 7, "/run/user/7/eardrum"),
        ({"XDG_RUNTIME_DIR": "/run/user/0"}, 0, "/run/user/0/eardrum"),
        ({"XDG_RUNTIME_DIR": ""}, NOBODY, f"/tmp/eardrum-{NOBODY}"),
        ({}, NOBODY, f"/tmp/eardrum-{NOBODY}"),
        ({}, 0, "/run/eardrum"),
    ],
)
def test_where_the_desk_is_unless_somebody_says_so(environ, uid, runtime):
    assert default_runtime(environ, uid) == Path(runtime)


def test_a_directory_that_another_user_laid_out_for_us_is_not_taken(monkeypatch, tmp_path):
    monkeypatch.setattr(Path, "lstat", lambda path: tmp_path.stat())
    with pytest.raises(Complaint, match=f"/tmp/eardrum-{NOBODY} belongs to user {tmp_path.stat().st_uid}"):
        default_runtime({}, NOBODY)


def test_makeshift_is_what_nobody_chose():
    makeshift = default_runtime({}, NOBODY)
    assert is_makeshift(makeshift, {}, NOBODY)
    assert not is_makeshift(makeshift, {"XDG_RUNTIME_DIR": "/run/user/7"}, NOBODY)
    assert not is_makeshift(Path("/run/eardrum"), {}, 0)


@click.command()
@options.runtime_dir
@options.output
@options.input_
def wired(runtime, output, input_):
    click.echo(f"{runtime} {output} {input_}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "/r host None"),
        (["--runtime-dir", "/elsewhere"], "/elsewhere host None"),
        (["--runtime-dir", "here"], "{cwd}/here host None"),
        (["--output", "room:parlour", "--input", "room:parlour"], "/r room:parlour room:parlour"),
        (["--output", "file:tune.wav"], "/r file:{cwd}/tune.wav None"),
        (["--output", "file:/rec/tune.flac", "--input", "silence"], "/r file:/rec/tune.flac silence"),
    ],
)
def test_words_become_absolute_ends(words, said, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(wired, words, env={"EARDRUM_RUNTIME_DIR": "/r"}, catch_exceptions=False)
    assert result.stdout.strip() == said.format(cwd=tmp_path)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--output", "loud"], "no such wire end"),
        (["--output", "file:tune.mp3"], "must end in"),
        (["--output", "file:a\nb.wav"], "cannot be shown"),
        (["--output", "file:\udcff.wav"], "cannot be shown"),
        (["--input", "host:@DEFAULT_MONITOR@"], "no source's name"),
    ],
)
def test_ends_that_are_none(words, complaint):
    with pytest.raises(Complaint, match=complaint) as raised:
        CliRunner().invoke(wired, words, env={"EARDRUM_RUNTIME_DIR": "/r"}, catch_exceptions=False)
    assert raised.value.status == 2
