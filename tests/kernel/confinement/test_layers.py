"""How layers are named."""

from eardrum.kernel.confinement.layers import ALL, Layer


def test_their_names():
    assert Layer(0).names == []
    assert (Layer.SECCOMP | Layer.NO_NEW_PRIVS).names == ["no_new_privs", "seccomp"]
    assert ALL.names == ["no_new_privs", "not_dumpable", "no_capabilities", "limits", "landlock", "seccomp"]


def test_all_fit_an_exit_status():
    assert 0 < ALL < 128
