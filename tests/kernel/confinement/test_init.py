"""All layers, one after the other."""

import errno
import os
import signal

import pytest

from eardrum.kernel import confinement
from eardrum.kernel.confinement import ALL, ENVIRONMENT, WORKER_CALLS, Layer, Limits, Profile

PROFILE = Profile(Limits(descriptors=100, memory=1 << 28))
MODULES = {
    Layer.NO_NEW_PRIVS: "privileges.gain_nothing",
    Layer.LIMITS: "limits.impose",
    Layer.NOT_DUMPABLE: "privileges.hide",
    Layer.NO_CAPABILITIES: "privileges.drop_capabilities",
    Layer.LANDLOCK: "landlock.enter",
    Layer.SECCOMP: "seccomp.forbid",
}


@pytest.fixture
def lacking(monkeypatch):
    """A function that confines this process in play only, by a kernel that lacks some layers; which ones were tried."""
    tried: list[Layer] = []

    def confine(missing: Layer) -> tuple[Layer, list[Layer]]:
        for layer, name in MODULES.items():

            def hold(*_: object, layer: Layer = layer, **__: object) -> None:
                tried.append(layer)
                if layer in missing:
                    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

            monkeypatch.setattr(f"eardrum.kernel.confinement.{name}", hold)
        monkeypatch.setattr("eardrum.kernel.confinement.environment.forget", lambda: None)
        return confinement.confine(PROFILE), tried

    return confine


def test_a_layer_that_the_kernel_lacks_is_left_out_and_the_others_hold(lacking):
    order = list(MODULES)
    assert lacking(Layer(0)) == (ALL, order)


@pytest.mark.parametrize("missing", [Layer.LANDLOCK, Layer.SECCOMP, Layer.LIMITS | Layer.NOT_DUMPABLE, ALL])
def test_what_is_missing_is_told(lacking, missing):
    held, tried = lacking(missing)
    assert held == ALL & ~missing
    assert tried == list(MODULES)


def test_a_trial_leaves_the_caller_as_it_is():
    confinement.prepare(WORKER_CALLS)
    assert confinement.trial(PROFILE) == ALL
    os.close(os.open("/dev/null", os.O_RDONLY))


def test_a_trial_tells_what_its_child_found(monkeypatch):
    monkeypatch.setattr(confinement, "confine", lambda profile: Layer.LIMITS | Layer.SECCOMP)
    assert confinement.trial(PROFILE) == Layer.LIMITS | Layer.SECCOMP


def test_a_trial_whose_child_is_killed_found_nothing(monkeypatch):
    monkeypatch.setattr(confinement, "confine", lambda profile: os.kill(os.getpid(), signal.SIGKILL))
    assert confinement.trial(PROFILE) == Layer(0)


def test_what_cannot_be_prepared_is_left(monkeypatch):
    monkeypatch.setattr(os, "uname", lambda: type("Uname", (), {"machine": "vax"})())
    confinement.seccomp.prepared.cache_clear()
    confinement.prepare(WORKER_CALLS)
    confinement.seccomp.prepared.cache_clear()


@pytest.mark.parametrize(("value", "ends"), [("kill", -signal.SIGSYS), ("", "PermissionError: [Errno 1]")])
def test_tests_may_have_a_forbidden_call_end_the_process(in_a_child, monkeypatch, value, ends):
    monkeypatch.setenv(ENVIRONMENT, value)

    def open_a_file():
        confinement.confine(PROFILE)
        os.open("/dev/null", os.O_RDONLY)

    ended = in_a_child(open_a_file)
    assert ended == ends or str(ended).startswith(str(ends))


def test_no_core_is_left_and_nothing_is_remembered(in_a_child):
    def look():
        return [confinement.confine(PROFILE), dict(os.environ)]

    assert in_a_child(look) == [ALL, {}]
