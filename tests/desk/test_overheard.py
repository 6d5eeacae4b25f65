"""What workers write on standard error."""

import asyncio
import os

from eardrum.desk.overheard import Overheard


def overhears(act, seconds: float) -> None:
    """Let this be done with the pipe, and listen for so long; then it is closed."""

    async def listen() -> None:
        overheard = Overheard()
        overheard.listen()
        act(overheard.writer)
        await asyncio.sleep(seconds)
        overheard.close()

    asyncio.run(listen())


def test_it_is_said_without_what_a_terminal_would_obey(capfd):
    overhears(lambda writer: os.write(writer, b"oh\x1b]0;evil\x07\nno\xff"), 0)
    assert capfd.readouterr().err == "eardrum: from a worker: oh�]0;evil�\neardrum: from a worker: no�\n"


def test_nothing_is_said_of_nothing(capfd):
    overhears(lambda writer: None, 0)
    assert capfd.readouterr().err == ""


def test_who_writes_much_waits_for_nobody_and_is_not_listened_to(capfd):
    def flood(writer: int) -> None:
        try:
            while True:
                os.write(writer, b"noise\n" * 100)
        except BlockingIOError:
            pass

    overhears(flood, 0.05)
    assert 0 < capfd.readouterr().err.count("noise") <= 2 * 4096 / len(b"noise\n")


def test_many_lines_at_once_are_counted(capfd):
    overhears(lambda writer: os.write(writer, b"\n" * 4096), 0)
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 61
    assert said[-1] == "eardrum: from a worker: 4036 lines more"


def test_a_worker_has_no_terminal(desk, until):
    """It has the pipe, and what it says at its end comes through it."""
    desk.open("radio")
    visitor = desk.visit("radio")
    pid = visitor.about()["pid"]
    assert os.readlink(f"/proc/{pid}/fd/2").startswith("pipe:")  # noqa: PTH115
    visitor.tell("fail")
    until(lambda: "from a worker: ZeroDivisionError" in desk.said, "the end of a traceback")
