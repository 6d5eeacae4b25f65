"""What a person is told of how workers can be confined here."""

import pytest

from eardrum.desk import confined
from eardrum.kernel import confinement
from eardrum.kernel.confinement import ALL, Layer
from eardrum.terms.errors import Complaint


@pytest.fixture
def kernel(monkeypatch):
    """A function that makes the kernel lack layers."""

    def lacks(missing: Layer) -> None:
        monkeypatch.setattr(confinement, "trial", lambda profile: ALL & ~missing)

    return lacks


@pytest.mark.parametrize("require", [False, True])
def test_where_all_hold_nothing_is_said(kernel, capsys, require):
    kernel(Layer(0))
    confined.check(require=require)
    assert capsys.readouterr().err == ""


def test_what_is_missing_is_said_once_with_what_it_needs(kernel, capsys):
    kernel(Layer.LANDLOCK | Layer.SECCOMP)
    confined.check(require=False)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "confined without landlock and seccomp" in said
    assert "a kernel from 5.13 on" in said


@pytest.mark.parametrize("missing", Layer)
def test_where_all_are_required_it_is_named(kernel, missing):
    kernel(missing)
    with pytest.raises(Complaint, match=missing.names[0]):
        confined.check(require=True)
