"""Install the Debian packages that the tests and the demo use, or say which ones are missing.

    system_packages.py STAMP

As root on a machine with apt, what is missing is installed; services are not started by that. Otherwise the list is
printed. STAMP is made when nothing is missing. The exit status is 0 in either case: the tests fail for what they lack.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from eardrum.testing.packages import missing_packages, packages_advice

# Maintainer scripts must not start what they install: nobody asked for a sound server or for docker to run.
# SYSTEMD_OFFLINE tells those that ask systemd, POLICY all others (`man invoke-rc.d`).
POLICY = Path("/usr/sbin/policy-rc.d")
START_NOTHING = "#!/bin/sh\nexit 101\n"
QUIET = {"DEBIAN_FRONTEND": "noninteractive", "SYSTEMD_OFFLINE": "1"}


def install(packages: list[str]) -> None:
    """Have apt install `packages` and start nothing; what it says is shown if it fails."""
    print("installing", *packages, "...", flush=True)
    with contextlib.ExitStack() as stack:
        if not POLICY.exists():
            POLICY.write_text(START_NOTHING)
            stack.callback(POLICY.unlink)
            POLICY.chmod(0o755)
        _run_apt(packages)


def _run_apt(packages: list[str]) -> None:
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", "--quiet", *words],
            env={**os.environ, **QUIET},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            print(done.stdout, file=sys.stderr)
            return


def main() -> None:
    missing = missing_packages()
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        install(missing)
        missing = missing_packages()
    if missing:
        print(packages_advice(missing), file=sys.stderr)
    else:
        Path(sys.argv[1]).touch()


if __name__ == "__main__":
    main()
