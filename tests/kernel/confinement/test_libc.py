"""Functions of the C library."""

import errno

import pytest

from eardrum.kernel.confinement.libc import call

GET_NAME = 16  # PR_GET_NAME


def test_what_a_function_returns():
    assert call("prctl", 3, 0, 0, 0, 0) in (0, 1, 2)  # PR_GET_DUMPABLE


def test_how_a_function_fails():
    with pytest.raises(OSError) as raised:
        call("prctl", GET_NAME, 1, 0, 0, 0)  # an address that is none
    assert raised.value.errno == errno.EFAULT
