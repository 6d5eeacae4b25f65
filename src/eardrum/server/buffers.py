"""How the server settles the buffer metrics that a client asks for.

Source: PulseAudio 16.1's fixing of buffer attributes, measured on a null sink. All metrics are bytes of the stream's
own sample spec; the latency beside them is in µs and is how long a cycle of the sink may then be.
"""

from __future__ import annotations

from typing import NamedTuple

from eardrum.terms.audio import INVALID, MAX_QUEUE, BufferAttr, SampleSpec

DEFAULT_TLENGTH = 2_000_000  # µs
DEFAULT_MINREQ = 20_000  # µs
DEFAULT_FRAGSIZE = 2_000_000  # µs
LONG = 500_000  # µs of tlength: longer than many devices can sleep, so that it is minreq that decides
TIGHTEST, TIGHT = 10_000, 80_000  # µs of tlength with adjust_latency; beyond, a larger minreq only shortens the cycle
MIN_LATENCY = 500  # µs
MAX_LATENCY = 2_000_000  # µs


class Settled(NamedTuple):
    attr: BufferAttr
    latency: int  # µs, what the device is configured to


def settle_playback(asked: BufferAttr, spec: SampleSpec, *, adjust_latency: bool, early_requests: bool) -> Settled:
    """The metrics a playback stream gets. With `adjust_latency`, tlength stands for the whole way to the ear."""
    frame = spec.frame_bytes
    maxlength = min(asked.maxlength, MAX_QUEUE) or frame
    tlength = spec.bytes_for_up(DEFAULT_TLENGTH) if asked.tlength == INVALID else asked.tlength
    tlength = min(tlength or frame, maxlength)
    minreq = asked.minreq
    if minreq == INVALID:
        minreq = min(spec.bytes_for_up(DEFAULT_MINREQ), tlength // 4 // frame * frame)
    minreq = minreq or frame
    tlength = max(tlength, minreq + frame)

    tlength_usec, minreq_usec = spec.usec(tlength), spec.usec(minreq)
    if early_requests:
        latency = minreq_usec
    elif adjust_latency:
        latency = (tlength_usec - 2 * minreq_usec) // 2
    else:
        latency = tlength_usec - 2 * minreq_usec
    latency = max(MIN_LATENCY, min(latency, MAX_LATENCY))
    wanted = tlength_usec - latency if adjust_latency and not early_requests else tlength_usec
    whole = spec.bytes_for_up(max(wanted, latency + 2 * minreq_usec))
    if whole != spec.bytes_for_up(tlength_usec):
        tlength = whole

    prebuf = min(asked.prebuf, tlength + frame - minreq)
    maxlength = _up(maxlength, frame)
    tlength = min(_up(tlength, frame), maxlength)
    minreq = min(max(minreq // frame * frame, frame), tlength)
    prebuf = min(_up(prebuf, frame), tlength + frame - minreq)
    return Settled(BufferAttr(maxlength, tlength, prebuf, minreq), latency)


def queue_bytes(asked: BufferAttr, spec: SampleSpec, *, adjust_latency: bool, early_requests: bool) -> int:
    """What a playback stream's client will be asked to have queued, here or upstream."""
    settled = settle_playback(asked, spec, adjust_latency=adjust_latency, early_requests=early_requests)
    ahead = spec.bytes_for(settled.latency) if adjust_latency and not early_requests else 0
    return min(settled.attr.tlength + ahead, settled.attr.maxlength, MAX_QUEUE)


def upstream_minreq(asked: BufferAttr, spec: SampleSpec, *, adjust_latency: bool, early_requests: bool) -> int:
    """The minreq to ask an upstream for: where the client left it open, a third of tlength if that spares messages.

    The way to the ear is then as long as with what servers choose, a quarter of tlength and at most 20 ms, and the
    client has as long to answer.
    """
    tlength = spec.bytes_for_up(DEFAULT_TLENGTH) if asked.tlength == INVALID else asked.tlength
    tlength = min(tlength, asked.maxlength, MAX_QUEUE)
    usec = spec.usec(tlength)
    fewer = usec >= LONG or (adjust_latency and TIGHTEST <= usec <= TIGHT)
    if asked.minreq != INVALID or early_requests or not fewer:
        return asked.minreq
    return tlength // 3 // spec.frame_bytes * spec.frame_bytes


def settle_record(asked: BufferAttr, spec: SampleSpec, *, adjust_latency: bool, early_requests: bool) -> Settled:
    """The metrics a record stream gets; the latency is 0 where the client leaves it to the source."""
    frame = spec.frame_bytes
    maxlength = _up(min(asked.maxlength, MAX_QUEUE) or frame, frame)
    fragsize = (spec.bytes_for(DEFAULT_FRAGSIZE) if asked.fragsize == INVALID else asked.fragsize) or frame
    wanted, latency = spec.usec(fragsize), 0
    if adjust_latency or early_requests:
        latency = max(MIN_LATENCY, min(wanted, MAX_LATENCY))
    if adjust_latency and not early_requests and spec.bytes_for(latency) != spec.bytes_for(wanted):
        fragsize = spec.bytes_for(latency)
    fragsize = max(min(fragsize, maxlength) // frame * frame, frame)
    return Settled(BufferAttr(maxlength=maxlength, fragsize=fragsize), latency)


def _up(nbytes: int, frame: int) -> int:
    return -(-nbytes // frame) * frame
