"""The options that a command line begins with, read as far as needed to see where they end."""

from __future__ import annotations

from collections.abc import Container, Sequence


def read(words: Sequence[str], flags: Container[str]) -> tuple[dict[str, str], int]:
    """The options that `words` begin with (a flag's value is ""), and how many words they are.

    `flags` are the options that take no value, without their dashes. Every other one takes the next word, unless it has
    an = or, short, its value right behind.
    """
    found: dict[str, str] = {}
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "-":
        word = words[at]
        at += 1
        if word == "--":
            break
        for name, value in _parts(word, flags):
            if value is None:
                value = "".join(words[at : at + 1])
                at += 1
            found[name] = value
    return found, at


def _parts(word: str, flags: Container[str]) -> list[tuple[str, str | None]]:
    """The options in one word, `--name=value` or a group such as `-itv…`; None: the value is the next word."""
    if word.startswith("--"):
        name, equals, value = word[2:].partition("=")
        return [(name, value if equals or name in flags else None)]
    found: list[tuple[str, str | None]] = []
    for at, letter in enumerate(word[1:], start=1):
        rest = word[at + 1 :]
        if letter not in flags or rest.startswith("="):
            return [*found, (letter, rest.removeprefix("=") or None)]
        found.append((letter, ""))
    return found
