"""The sample cache: it is empty."""

from __future__ import annotations

from eardrum.protocol.catalog import GetSampleInfoList, SampleInfoList
from eardrum.server.answers.table import Answers

ANSWERS: Answers = {GetSampleInfoList: lambda server, client, tag, message: SampleInfoList(items=[])}
