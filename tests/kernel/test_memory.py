"""Large buffers go back to the kernel when they are freed."""

import subprocess
import sys

SCRIPT = """
from pathlib import Path
from eardrum.kernel import memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

memory.give_back_early()
before = resident()
for _ in range(5):
    queues = [bytearray(b"x") * 400_000 for _ in range(20)]  # 8 MB
    small = bytearray(100)  # in the heap behind them
    del queues
print(resident() - before)
"""


def test_freed_queues_do_not_stay_in_the_heap():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1_000_000


PINNED = """
from pathlib import Path
from eardrum.kernel import memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

memory.give_back_early()
before = resident()
blocks = [bytearray(b"x") * 30_000 for _ in range(400)]  # 12 MB in the heap
last = bytearray(30_000)
del blocks
memory.give_back()
print(resident() - before)
"""


def test_what_is_free_before_something_that_is_kept_can_be_given_back():
    done = subprocess.run([sys.executable, "-c", PINNED], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1_000_000
