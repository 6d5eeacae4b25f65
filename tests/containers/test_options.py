from __future__ import annotations

import pytest

from eardrum.containers.options import read

FLAGS = {"detach", "d", "tty", "t", "rm"}


@pytest.mark.parametrize(
    ("words", "found", "length"),
    [
        ("", {}, 0),
        ("sh -d", {}, 0),
        ("--rm --name x sh", {"rm": "", "name": "x"}, 3),
        ("--name=x --rm sh", {"name": "x", "rm": ""}, 2),
        ("--rm=false sh", {"rm": "false"}, 1),
        ("-dtv /a:/b sh", {"d": "", "t": "", "v": "/a:/b"}, 2),
        ("-dv/a:/b sh", {"d": "", "v": "/a:/b"}, 1),
        ("-d=false sh", {"d": "false"}, 1),
        ("--name -d sh", {"name": "-d"}, 2),
        ("--rm -- --name x", {"rm": ""}, 2),
        ("- sh", {}, 0),
        ("--name", {"name": ""}, 2),
    ],
)
def test_options_end_where_the_program_begins(words, found, length):
    assert read(words.split(), FLAGS) == (found, length)
