"""What a permitted command leads to; the files are named like those of `protocol/catalog`.

An answer is `(server, client, tag, message, *objects) -> reply or None`, with the objects that `rules.py` found.
None: the reply comes later, under the same tag. Raises Refused.
"""

from __future__ import annotations

from eardrum.server.answers import (
    cards,
    clients,
    devices,
    extensions,
    hello,
    modules,
    playback,
    record,
    samples,
    streams,
)
from eardrum.server.answers.table import Answers

ANSWERS: Answers = {
    **hello.ANSWERS,
    **clients.ANSWERS,
    **devices.ANSWERS,
    **streams.ANSWERS,
    **playback.ANSWERS,
    **record.ANSWERS,
    **cards.ANSWERS,
    **modules.ANSWERS,
    **extensions.ANSWERS,
    **samples.ANSWERS,
}
