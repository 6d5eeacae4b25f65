"""What a server of the native protocol does, as small expectations that any server can be held against.

In: the socket of a server, and what kind it is. Out: nothing, or an AssertionError that says what was seen instead; and
the table of where our server differs on purpose. Never: anything a client could not do.

A real PulseAudio proves each expectation. Where our server differs, the expectation itself says in what and why, and
the difference is checked as strictly: one that is gone is an error too.
"""
