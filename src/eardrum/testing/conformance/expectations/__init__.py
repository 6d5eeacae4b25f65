"""What PulseAudio does, a sentence each; every file is a topic, and importing it declares its sentences."""

from eardrum.testing.conformance.expectation import EXPECTATIONS
from eardrum.testing.conformance.expectations import (  # noqa: F401
    buffer_metrics,
    clients,
    connections,
    controlling_streams,
    corking,
    devices,
    draining,
    events,
    flow_control,
    levels,
    making_streams,
    moving_streams,
    packets,
    playback_latency,
    recording,
    sample_cache,
    server_wide,
    shared_memory,
    starting,
    sync_groups,
    values,
    versions,
    what_is_heard,
)

EVERY = tuple(EXPECTATIONS)
