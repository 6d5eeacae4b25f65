"""Modules: emulated ones, where the owner lets programs make them, and none elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eardrum.protocol.catalog import (
    Ack,
    GetModuleInfo,
    GetModuleInfoList,
    LoadModule,
    ModuleInfo,
    ModuleInfoList,
    ModuleLoaded,
    UnloadModule,
)
from eardrum.server import emulated_modules
from eardrum.server.answers.table import Answers
from eardrum.server.objects import Client, Module
from eardrum.terms.audio import INVALID
from eardrum.terms.errors import PulseError, Refused

if TYPE_CHECKING:
    from eardrum.server.core import Server


def module_info(module: Module) -> ModuleInfo:
    return ModuleInfo(index=module.index, name=module.name, argument=module.argument, used=INVALID)


def module_list(server: Server, client: Client, tag: int, message: GetModuleInfoList) -> ModuleInfoList:
    return ModuleInfoList(items=[module_info(module) for module in client.view.modules.values()])


def load(server: Server, client: Client, tag: int, message: LoadModule) -> None:
    if not message.name or "/" in message.name:
        raise Refused(PulseError.INVALID, "no name of a module")

    def done(module: Module, why: str | None) -> None:
        if why is None:
            server.answer(client, tag, ModuleLoaded(index=module.index))
        else:
            server.refuse(client, tag, PulseError.MODINITFAILED, why)

    emulated_modules.load(server, client.view, message.name, message.argument or "", done)


def unload(server: Server, client: Client, tag: int, message: UnloadModule, module: Module) -> Ack:
    emulated_modules.unload(server, client.view, module)
    return Ack()


ANSWERS: Answers = {
    GetModuleInfo: lambda server, client, tag, message, module: module_info(module),
    GetModuleInfoList: module_list,
    LoadModule: load,
    UnloadModule: unload,
}
