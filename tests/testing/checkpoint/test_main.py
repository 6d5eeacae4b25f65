"""The process: everything passes, descriptors do not, and it shares no code with what it watches."""

from __future__ import annotations

import ast
import socket
from pathlib import Path

import eardrum.testing.checkpoint
from eardrum.protocol.catalog import Auth, Exit
from eardrum.protocol.codec import packet
from eardrum.testing.checkpoint import Checkpoint
from eardrum.testing.servers import wait_until


def test_all_bytes_pass_and_descriptors_do_not(tmp_path) -> None:
    path = tmp_path / "checkpoint"
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as worker:
        server.bind(str(tmp_path / "server"))
        server.listen()
        with Checkpoint(path, f"unix:{tmp_path}/server") as checkpoint:
            assert checkpoint.address == f"unix:{path}"
            worker.connect(str(path))
            upstream, _ = server.accept()
            with upstream:
                said = packet(Auth(version=35), 0, 35) + packet(Exit(), 1, 35)
                socket.send_fds(worker, [said], [worker.fileno(), server.fileno()])
                data, descriptors, _, _ = socket.recv_fds(upstream, 10_000, 4)
                assert (data, descriptors) == (said, [])
                upstream.sendall(b"anything")
                assert worker.recv(100) == b"anything"
                account = checkpoint.account()
                worker.close()
                assert upstream.recv(1) == b""
    assert account.connections == 1
    assert account.said == {"AUTH": 1, "7": 1}
    descriptors_came, command_came = account.faults
    assert descriptors_came == "connection 1: 2 descriptors"
    assert command_came.startswith("connection 1: command 7: ")


def test_a_server_that_is_not_there_is_not_there_behind_it_either(tmp_path) -> None:
    with Checkpoint(tmp_path / "checkpoint", f"unix:{tmp_path}/nowhere"), socket.socket(socket.AF_UNIX) as worker:
        worker.connect(str(tmp_path / "checkpoint"))
        assert wait_until(lambda: worker.recv(1) == b"", "the end")


def test_it_shares_no_code_with_what_it_watches() -> None:
    for path in Path(eardrum.testing.checkpoint.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            ours = [name for name in names if name.startswith("eardrum")]
            assert all(name.startswith("eardrum.testing.checkpoint") for name in ours), path
