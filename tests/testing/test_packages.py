from __future__ import annotations

from eardrum.testing import packages
from eardrum.testing.packages import missing_packages, packages_advice


def test_what_lacks_is_told_by_package(monkeypatch, tmp_path):
    (tmp_path / "podman").write_text("")
    (tmp_path / "podman").chmod(0o755)
    monkeypatch.setattr(packages, "SEARCH_PATH", str(tmp_path))
    lacking = missing_packages()
    assert "podman" not in lacking
    assert lacking.count("pulseaudio-utils") == 1
    assert "apt-get install" in packages_advice(lacking)
    assert " bubblewrap " in packages_advice(lacking)
