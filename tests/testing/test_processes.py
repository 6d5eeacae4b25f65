from __future__ import annotations

import mmap
import os
import signal
import subprocess
import time

from eardrum.testing.processes import cpu, descriptors, family, private_memory


def test_time_that_is_used_counts():
    before, used = cpu([os.getpid()]), time.process_time()
    while time.process_time() < used + 0.02:
        pass
    assert cpu([os.getpid()]) - before >= 0.015


def test_memory_that_is_touched_counts():
    before = private_memory(os.getpid())
    with mmap.mmap(-1, 32 << 20) as memory:  # new from the kernel, and not what an earlier test gave back
        memory.write(bytes(32 << 20))
        assert private_memory(os.getpid()) - before > 24


def test_descriptors_are_counted():
    before = descriptors(os.getpid())
    one, other = os.pipe()
    assert descriptors(os.getpid()) == before + 2
    os.close(one)
    os.close(other)


def test_a_family_is_a_process_and_its_descendants():
    command = ["sh", "-c", "sleep 60 & echo; wait"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as shell:
        try:
            assert shell.stdout is not None
            shell.stdout.readline()
            mine = family(shell.pid)
            assert mine[0] == shell.pid
            assert len(mine) == 2
            assert set(mine) < set(family(os.getpid()))
        finally:
            os.killpg(shell.pid, signal.SIGKILL)
