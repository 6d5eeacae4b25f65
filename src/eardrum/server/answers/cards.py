"""Cards: no view has any, hardware never shows."""

from __future__ import annotations

from eardrum.protocol.catalog import CardInfoList, GetCardInfoList
from eardrum.server.answers.table import Answers

ANSWERS: Answers = {GetCardInfoList: lambda server, client, tag, message: CardInfoList(items=[])}
