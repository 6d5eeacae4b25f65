"""Sound for Linux containers: sound passes, nothing else does.

`HACKING.md` has the tour; each package's docstring says what comes in, what goes out and what it never does.
"""

__version__ = "0.1.0"
