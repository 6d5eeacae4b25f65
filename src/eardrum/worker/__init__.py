"""One confined process per active outlet or room, forked from the nursery.

In: a spec and descriptors from the desk; bytes from containers. Out: sound for the wire's other end, and small fixed
records for the desk. Never: open, connect, exec or fork; trust in anything that a container or an upstream says.
"""
