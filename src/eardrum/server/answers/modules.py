"""Modules: no view has any."""

from __future__ import annotations

from eardrum.protocol.catalog import GetModuleInfoList, ModuleInfoList
from eardrum.server.answers.table import Answers

ANSWERS: Answers = {GetModuleInfoList: lambda server, client, tag, message: ModuleInfoList(items=[])}
