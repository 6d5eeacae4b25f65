"""The shape of an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eardrum.protocol.message import Message

Answers = dict[type[Message], Callable[..., Any]]  # (server, client, tag, message, *objects) -> reply or None
