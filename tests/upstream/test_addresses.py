"""Addresses as libpulse reads them."""

from __future__ import annotations

import pytest

from eardrum.upstream.addresses import Address, Unusable, parse


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/a", Address("/a")),
        ("unix:/a", Address("/a")),
        ("unix:a", Address("a")),
        ("{abc}unix:/a", Address("/a")),
        ("{abc}tcp:piano", Address(host="piano", version=4)),
        ("tcp:piano:4714", Address(host="piano", port=4714, version=4)),
        ("tcp4:10.0.0.1", Address(host="10.0.0.1", version=4)),
        ("tcp6:[::1]:1", Address(host="::1", port=1, version=6)),
        ("tcp6:[::1]", Address(host="::1", version=6)),
        ("::1", Address(host="::1")),
        ("[::1]:5", Address(host="::1", port=5)),
        ("piano", Address(host="piano")),
        ("piano:0", Address(host="piano")),
        ("@abstract", Address(host="@abstract")),
    ],
)
def test_what_it_names(text, address):
    assert parse(text, "abc") == address


@pytest.mark.parametrize("text", ["{abc", "{other}unix:/a", "tcp:piano:x", "piano:", "[::1", "a:b:c", "http://piano"])
def test_what_no_client_understands(text):
    with pytest.raises(Unusable):
        parse(text, "abc")
