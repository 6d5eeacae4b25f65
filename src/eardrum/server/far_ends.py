"""Where the wires of a worker lead, shown at the devices whose streams are carried there."""

from __future__ import annotations

from collections.abc import Iterator

from eardrum.protocol.catalog import Change, Facility
from eardrum.server.events import OUTPUT, Rewired, UpstreamDevice
from eardrum.server.objects import Device, View


class FarEnds:
    """For each wire the name to ask for upstream, and how the device there is made, as far as both are known.

    Programs are shown its sample spec and channels under the outlet's own names, and nothing else of it.
    """

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._carried: set[int] = set()  # wires that have led upstream once: what plays there is carried
        self._devices: dict[int, UpstreamDevice] = {}

    def rewired(self, event: Rewired) -> None:
        """This wire leads somewhere else."""
        self._names[event.wire] = event.end.device
        if event.end.is_carried:
            self._carried.add(event.wire)

    def learnt(self, event: UpstreamDevice) -> None:
        """The device at the end of this wire is known, or another."""
        self._devices[event.wire] = event

    def show(self, view: View) -> None:
        """Bring the devices of this view to what is known."""
        for device in (*view.sinks.values(), *view.sources.values()):
            if device.wire in self._carried:
                device.bus = None
        for wire, name in self._names.items():
            for _, device in _carried(view, wire):
                device.upstream_name = name
        for wire, known in self._devices.items():
            for facility, device in _carried(view, wire):
                if device.reshape(known.spec, known.channel_map):
                    view.changed(facility, Change.CHANGED, device.index)


def _carried(view: View, wire: int) -> Iterator[tuple[Facility, Device]]:
    facility = Facility.SINK if wire == OUTPUT else Facility.SOURCE
    devices = view.sinks.values() if wire == OUTPUT else view.sources.values()
    return ((facility, device) for device in devices if device.bus is None)
