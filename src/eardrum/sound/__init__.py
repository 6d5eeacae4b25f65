"""What samples are: bytes and blocks, channels, rates, queues, levels, sums.

In: bytes in some sample spec, and blocks (float32, frames by channels). Out: the same.
Every block that `convert.decode` makes is finite, so one stream cannot spoil the sum of all.
Never: the protocol's messages, sockets, files, clocks; what it needs is imported with it, never later.
"""
