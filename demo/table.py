"""The demo's table; in colour on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from spy import Seen

RED, GREEN, BOLD, PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[1m", "\x1b[0m"


def printed(tried: Sequence[str], raw: Sequence[Seen] | None, ours: Sequence[Seen]) -> str:
    """What spy tried, and what came of it; without `raw`, the middle column is left out and that is said."""
    columns = [("on a raw PulseAudio socket", raw)] if raw is not None else []
    columns += [("on an outlet", ours)]
    width = max(map(len, tried))
    widths = [max(len(head), *(len(seen.text) for seen in column)) for head, column in columns]
    heads = "   ".join(head.ljust(size) for (head, _), size in zip(columns, widths, strict=True))
    lines = ["", colored(BOLD, f"{'spy tries to':{width}}   {heads}")]
    for row, words in enumerate(tried):
        cells = [
            colored(RED if column[row].through else GREEN, column[row].text.ljust(size))
            for (_, column), size in zip(columns, widths, strict=True)
        ]
        lines.append("   ".join([words.ljust(width), *cells]))
    if raw is None:
        lines += ["", "(pulseaudio is not installed: without it, there is no raw socket to try the same on)"]
    return "\n".join([*lines, ""])


def colored(color: str, text: str) -> str:
    """`text` in `color` where that is wanted."""
    wanted = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return f"{color}{text}{PLAIN}" if wanted else text
