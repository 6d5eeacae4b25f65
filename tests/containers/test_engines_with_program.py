"""The same command line with another program in the container."""

from __future__ import annotations

import shlex

import pytest

from eardrum.containers import engines
from eardrum.terms.errors import Complaint

FOREGROUND = "--detach=false --tty=false --interactive=false --rm"


@pytest.mark.parametrize(
    ("said", "tried"),
    [
        ("podman run web", f"podman run {FOREGROUND} --entrypoint=/bin/sh web -c x"),
        (
            "podman --log-level debug run -it -v /a:/b --rm web firefox --new",
            f"podman --log-level debug run -it -v /a:/b --rm {FOREGROUND} --entrypoint=/bin/sh web -c x",
        ),
        (
            "docker run -d --name web web:1 run",
            f"docker run -d --name web {FOREGROUND} --name=web-doctor --entrypoint=/bin/sh web:1 -c x",
        ),
        ("podman create -- web sh", f"podman run {FOREGROUND} --entrypoint=/bin/sh -- web -c x"),
        ("podman run --rootfs /r true", f"podman run --rootfs {FOREGROUND} --entrypoint=/bin/sh /r -c x"),
        ("systemd-nspawn -q -D /r paplay x", "systemd-nspawn -q -D /r /bin/sh -c x"),
        ("lxc-execute -n web -f c -- paplay x", "lxc-execute -n web -f c -- /bin/sh -c x"),
        ("lxc-execute web paplay x", "lxc-execute -n web -- /bin/sh -c x"),
    ],
)
def test_only_the_program_is_another(said, tried):
    assert engines.with_program(shlex.split(said), ["/bin/sh", "-c", "x"]) == shlex.split(tried)


@pytest.mark.parametrize(
    "said", ["podman ps", "podman run", "systemd-nspawn -b -D /r", "flatpak run org.x", "chroot /x"]
)
def test_what_starts_no_such_container_is_refused(said):
    with pytest.raises(Complaint):
        engines.with_program(shlex.split(said), ["sh"])
