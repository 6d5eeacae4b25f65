"""The native protocol, protocol versions 8 to 35: what bytes mean.

In: bytes of one connection, in any pieces. Out: messages (dataclasses, declared once in `catalog`), sound packets,
and the bytes of what we say. Never: sockets, clocks, judgement about who may do what.
Foreign bytes that make no sense leave as `RemoteProtocolError`, and as nothing else.
"""
