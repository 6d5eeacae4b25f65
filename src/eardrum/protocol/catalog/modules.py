"""Modules, what they add to the protocol, and messages to objects."""

from typing import Annotated

from eardrum.protocol.catalog.hello import Ack
from eardrum.protocol.kinds import U32, Bool, ModuleIndex, ModuleName, Proplist, Str, Tail, ThisModule, ToEnd
from eardrum.protocol.message import EXTENSION, ExtensionMessage, Message, command, reply, since, until


@reply
class ModuleInfo(Message):
    index: ThisModule
    name: ModuleName
    argument: Str = None
    used: U32  # how often; 0xFFFFFFFF: not counted
    auto_unload: Bool = until(15, default=False)
    proplist: Proplist = since(15, default={})


@reply
class ModuleInfoList(Message):
    items: Annotated[list[ModuleInfo], ToEnd(ModuleInfo)]


@command(25, reply=ModuleInfo)
class GetModuleInfo(Message):
    index: ModuleIndex


@command(26, reply=ModuleInfoList)
class GetModuleInfoList(Message):
    pass


@reply
class ModuleLoaded(Message):
    index: ThisModule


@command(51, reply=ModuleLoaded)
class LoadModule(Message):
    name: Str
    argument: Str = None


@command(52, reply=Ack)
class UnloadModule(Message):
    index: ModuleIndex


@reply
class ExtensionAnswered(Message):
    """What a module answered that nothing is known of."""

    tail: Tail


@command(EXTENSION, since=14, sender="both", reply=ExtensionAnswered)
class Extension(ExtensionMessage):
    """To a module that nothing is known of, or that is meant by its index; or from it, with tag 0.

    What is said to the modules in `extensions` by their names is read as theirs.
    """

    tail: Tail = b""


@reply
class ObjectMessageAnswered(Message):
    response: Str


@command(104, since=35, reply=ObjectMessageAnswered)
class SendObjectMessage(Message):
    path: Str
    message: Str
    parameters: Str = None
