"""A desk whose workers were taken over: with each connection to the host's server they first give it the next order."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from eardrum.desk.config import Config
from eardrum.desk.main import run_desk
from eardrum.worker import nursery


def load() -> nursery.Serve:
    serve = nursery.load()
    from eardrum.protocol.catalog import Exit, LoadModule
    from eardrum.protocol.codec import packet
    from eardrum.worker.upstream_links import UpstreamLinks

    add = UpstreamLinks._add
    orders = itertools.cycle((LoadModule(name="module-null-sink", argument="sink_name=planted"), Exit()))

    def add_planted(links, wire, connection, version):
        connection.sendall(packet(next(orders), 0, version))
        add(links, wire, connection, version)

    UpstreamLinks._add = add_planted
    return serve


if __name__ == "__main__":
    runtime, upstream = sys.argv[1:]
    sys.exit(run_desk(Path(runtime), upstream, lambda address: None, Config(), load=load))
