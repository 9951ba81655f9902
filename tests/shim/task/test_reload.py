"""What containerd needs to find in a bundle."""

from __future__ import annotations

from pathlib import Path

from wherry_shim.task.reload import remember_launcher


def bundles(tmp_path: Path, written: str | None) -> Path:
    """The container's, beside its sandbox's."""
    for name in ("pod", "app"):
        (tmp_path / name).mkdir()
    if written:
        (tmp_path / "pod" / "shim-binary-path").write_text(written)
    return tmp_path / "app"


def test_a_container_has_the_launcher_of_its_pod(tmp_path: Path) -> None:
    app = bundles(tmp_path, "/opt/a/launcher")
    remember_launcher(app, "pod")
    assert (app / "shim-binary-path").read_text() == "/opt/a/launcher"


def test_what_containerd_wrote_itself_stays(tmp_path: Path) -> None:
    app = bundles(tmp_path, "/opt/a/launcher")
    (app / "shim-binary-path").write_text("/opt/b/launcher")
    remember_launcher(app, "pod")
    remember_launcher(app.parent / "pod", "pod")
    assert (app / "shim-binary-path").read_text() == "/opt/b/launcher"


def test_a_launcher_in_path_needs_nothing(tmp_path: Path) -> None:
    app = bundles(tmp_path, None)
    remember_launcher(app, "pod")
    assert list(app.iterdir()) == []
