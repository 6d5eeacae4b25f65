"""The plain words that every other package shares: sample specs, channel maps, volumes, errors, names, properties.

In: nothing. Out: values and small functions on them. Never: bytes of the wire, sockets, clocks, numpy.
"""
