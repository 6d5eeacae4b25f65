"""Install the Debian packages that the tests and the demo use, or say which ones are missing.

    system_packages.py STAMP

As root on a machine with apt, what is missing is installed; services are not started by that. Otherwise the list is
printed. STAMP is made when nothing is missing. The exit status is 0 in either case: the tests fail for what they lack.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from eardrum.testing.packages import missing_packages, packages_advice

# SYSTEMD_OFFLINE keeps maintainer scripts from starting what they install: nobody asked for a sound server to run.
QUIET = {"DEBIAN_FRONTEND": "noninteractive", "SYSTEMD_OFFLINE": "1"}


def install(packages: list[str]) -> None:
    """Have apt install `packages`; what it says is shown if it fails."""
    print("installing", *packages, "...", flush=True)
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
