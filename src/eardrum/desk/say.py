"""How the desk speaks to the person who started it."""

import sys


def say(line: str) -> None:
    """One line on standard error; lost if nobody listens there any more."""
    try:
        sys.stderr.write(f"eardrum: {line}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass
