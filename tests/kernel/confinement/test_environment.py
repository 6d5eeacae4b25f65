"""What a process forgets."""

import os
import posix
from pathlib import Path

from eardrum.kernel.confinement import environment


def test_nothing_is_left_of_it(in_a_child):
    assert b"\0PATH=" in b"\0" + Path("/proc/self/environ").read_bytes()

    one = 1

    def forget():
        value = posix.environ[b"PATH"]
        posix.environ[b"ONE"] = b"1"
        environment.forget()
        return [
            value.strip(b"\0").decode(),
            dict(os.environ),
            Path("/proc/self/environ").read_bytes().strip(b"\0").decode(),
            (48 + one).to_bytes(1, "big") == b"1",  # Python has one object for all that are equal
        ]

    assert in_a_child(forget) == ["", {}, "", True]


def test_what_was_replaced_is_forgotten_too(in_a_child):
    def forget():
        os.environ["PATH"] = "/elsewhere"
        environment.forget()
        return Path("/proc/self/environ").read_bytes().strip(b"\0").decode()

    assert in_a_child(forget) == ""


def test_it_can_be_forgotten_twice(in_a_child):
    def forget():
        environment.forget()
        environment.forget()
        return len(os.environ)

    assert in_a_child(forget) == 0
