from __future__ import annotations

import sys

import pytest

from eardrum.testing.servers import Stage, end, wait_until


@pytest.fixture
def stage():
    with Stage() as stage:
        yield stage


def test_waiting_ends_with_the_first_true_value():
    values = iter(["", 0, None, "there", "too late"])
    assert wait_until(lambda: next(values), "a value") == "there"


def test_waiting_in_vain_says_what_for():
    with pytest.raises(TimeoutError, match="a miracle"):
        wait_until(lambda: False, "a miracle", deadline=0.01)


def test_programs_of_a_stage_see_nothing_of_their_caller(stage, monkeypatch):
    monkeypatch.setenv("PULSE_SERVER", "unix:/of/the/caller")
    seen = stage.run(["env"]).stdout
    assert "PULSE_SERVER" not in seen
    assert f"HOME={stage.directory}/home\n" in seen


def test_what_a_program_says_is_in_its_log(stage):
    program = stage.start("speaker", ["sh", "-c", "echo one; echo two >&2"])
    program.wait(10)
    assert stage.log("speaker") == "one\ntwo\n"


def test_a_program_ends_with_what_it_started(stage):
    # The child ignores the polite signal, and says so before it is asked to end.
    child = (
        "import os, signal, time; signal.signal(15, signal.SIG_IGN); print(os.getpid(), flush=True); time.sleep(600)"
    )
    program = stage.start("parent", ["sh", "-c", f"{sys.executable} -c '{child}' & wait"])
    pid = int(wait_until(lambda: stage.log("parent"), "the child to run"))
    end(program)
    wait_until(lambda: not alive(pid), "the child to end")


def alive(pid):
    """Whether a process runs; one that has ended and is not yet reaped does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_leaving_a_stage_removes_its_directory_and_ends_its_programs():
    with Stage() as stage:
        program = stage.start("sleeper", ["sleep", "600"])
    assert not stage.directory.exists()
    assert program.returncode == -15


def test_a_program_that_ends_instead_of_listening_is_told_with_its_words(stage):
    program = stage.start("server", ["sh", "-c", "echo the card is on fire; exit 3"])
    with pytest.raises(RuntimeError, match=r"(?s)status 3.*the card is on fire"):
        stage.await_listener(program, "server", stage.directory / "socket")


def test_runtime_directories_of_a_stage_are_private(stage):
    assert stage.make_directory("home").stat().st_mode & 0o777 == 0o700
