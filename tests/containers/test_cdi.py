from __future__ import annotations

import json

import pytest

from eardrum.containers import cdi, client_kit


def test_a_device_is_a_mount_and_variables():
    assert json.loads(cdi.spec("web", "/o/web")) == {
        "cdiVersion": "0.3.0",
        "kind": "eardrum.local/outlet",
        "devices": [
            {
                "name": "web",
                "containerEdits": {
                    "env": client_kit.assignments(),
                    "mounts": [
                        {
                            "hostPath": "/o/web",
                            "containerPath": "/run/pulse",
                            "options": ["ro", "nosuid", "nodev", "noexec", "bind"],
                        }
                    ],
                },
            }
        ],
    }


@pytest.mark.parametrize(
    ("name", "valid"),
    [("web", True), ("a", True), ("7.a_b-c", True), ("_web", False), ("web-", False)],
)
def test_not_every_outlets_name_is_a_devices(name, valid):
    assert cdi.valid_name(name) is valid


def test_a_spec_is_of_one_outlet():
    assert cdi.is_of(cdi.spec("web", "/o/web").encode(), "/o/web")
    assert cdi.is_of(cdi.spec("web", "/o/web").replace("0.3.0", "0.9.0").encode(), "/o/web")
    assert not cdi.is_of(cdi.spec("web", "/p/web").encode(), "/o/web")
    assert not cdi.is_of(cdi.spec("web", "/o/web").replace("eardrum", "other").encode(), "/o/web")


@pytest.mark.parametrize("text", [b"", b"\xff", b"[]", b"{}", b'{"kind": 1, "devices": [1]}', b'{"devices": {"a": 1}}'])
def test_what_is_no_spec_is_of_none(text):
    assert not cdi.is_of(text, "/o/web")
