"""We are the client of the host's sound server: where it is, and the upstream side of carried streams.

In: what the environment says, what a server core wants reissued, what the upstream said. Out: addresses to try, and
commands that are written anew. Never: a socket, a clock, or a byte that a container wrote, except samples.
"""
