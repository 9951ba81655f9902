"""On each distribution the right file is edited, the right program asked, and the unit says what that node needs."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from wherry_shim.node import table, unit
from wherry_shim.node.changes import Changes
from wherry_shim.node.containerd import Containerd, containerd
from wherry_shim.node.fault import NodeError
from wherry_shim.node.host import Host
from wherry_shim.node.kubernetes import DISTRIBUTIONS

K3S = "/var/lib/rancher/k3s"
RKE2 = "/var/lib/rancher/rke2"
MICROK8S = "/var/snap/microk8s/current/args"
PREFIX = "/opt/wherry"

PROGRAM = """\
#!/bin/sh
case $* in
--version) echo 'containerd github.com/containerd/containerd{major} {version} abc' ;;
*dump) cat "$2" ;;
esac
"""
RENDERED = """\
version = {version}
root = "/var/lib/rancher/data"
[plugins.'{plugin}'.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
"""


def node(root: Path, files: dict[str, str], program: str = "/usr/bin/containerd", version: str = "v2.1.4") -> Host:
    """A node whose containerd answers with the file that it is asked about."""
    files = {program: PROGRAM.format(version=version, major="/v2" if "2." in version else ""), **files}
    for path, text in files.items():
        file = root / path[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (root / program[1:]).chmod(0o755)
    return Host(root)


class Unchanged(Host):
    """The root of a node whose programs run without it being theirs."""

    def run(self, *command: str, seconds: float = 60.0) -> str:
        paths = [str(self.at(word)) if word.startswith("/") else word for word in command]
        return Host().run(*paths, seconds=seconds)


def found(host: Host, exec_start: str = "") -> Containerd:
    return containerd(Unchanged(host.root), exec_start)


@pytest.mark.parametrize(
    ("name", "program", "version", "there", "edited", "block"),
    [
        ("k3s", f"{K3S}/data/current/bin/containerd", "v2.0.4", "config.toml", "config-v3.toml.tmpl", 3),
        ("k3s", f"{K3S}/data/current/bin/containerd", "v1.7.26", "config.toml", "config.toml.tmpl", 2),
        ("k3s", f"{K3S}/data/current/bin/containerd", "v2.0.4", "config.toml.tmpl", "config.toml.tmpl", 2),
        ("rke2", f"{RKE2}/bin/containerd", "v2.1.4", "config-v3.toml.tmpl", "config-v3.toml.tmpl", 3),
        ("microk8s", "/snap/microk8s/current/bin/containerd", "v1.7.28", "", "containerd-template.toml", 2),
    ],
    ids=["k3s", "an older k3s", "k3s with an older template", "rke2", "microk8s"],
)
def test_a_generated_configuration_is_changed_in_its_template(
    tmp_path: Path, name: str, program: str, version: str, there: str, edited: str, block: int
) -> None:
    folder = MICROK8S if name == "microk8s" else f"/var/lib/rancher/{name}/agent/etc/containerd"
    plugin = "io.containerd.cri.v1.runtime" if block == 3 else "io.containerd.grpc.v1.cri"
    rendered = "containerd.toml" if name == "microk8s" else "config.toml"
    files = {f"{folder}/{rendered}": RENDERED.format(version=block, plugin=plugin)}
    if there.endswith("tmpl"):
        files[f"{folder}/{there}"] = '{{ template "base" . }}\n# theirs\n'
    if name == "microk8s":
        files[f"{folder}/{edited}"] = 'version = 2\nroot = "${SNAP_COMMON}/var"\n'
    host = node(tmp_path, files, program, version)
    asked = found(host)
    assert asked.kubernetes.name == name
    before = host.at(f"{folder}/{edited}").read_text() if host.has(f"{folder}/{edited}") else None
    changes = Changes(host, f"{PREFIX}/changes.json")
    asked.apply(asked.edits(PREFIX), changes)
    assert changes.paths() == [f"{folder}/{edited}"]
    text = host.at(f"{folder}/{edited}").read_text()
    assert text.startswith(before or '{{ template "base" . }}\n')
    ours = tomllib.loads(text[text.index("# >>>") :])["plugins"]
    assert list(ours) == [plugin]
    assert found(host).edits(PREFIX)[0].text == text
    changes.undo(f"{folder}/{edited}", asked.cut(f"{folder}/{edited}"))
    assert host.has(f"{folder}/{edited}") == (before is not None)


def test_the_configuration_that_the_service_names_is_the_one(tmp_path: Path) -> None:
    host = node(tmp_path, {"/srv/containerd.toml": "version = 2\n"})
    line = "{ path=/usr/bin/containerd ; argv[]=/usr/bin/containerd --config /srv/containerd.toml ; ignore_errors=no }"
    assert found(host, line).config == "/srv/containerd.toml"
    assert found(host, line.replace("--config ", "-c=")).config == "/srv/containerd.toml"
    assert found(host, line.replace("--config /srv/containerd.toml", "")).config == "/etc/containerd/config.toml"


@pytest.mark.parametrize(("version", "known"), [("v1.7.29", (1, 7)), ("1.6.20~ds1", (1, 6)), ("v2.3.0-rc.1", (2, 3))])
def test_versions_are_read_as_containerds_write_them(tmp_path: Path, version: str, known: tuple[int, int]) -> None:
    assert found(node(tmp_path, {}, version=version)).version == known


@pytest.mark.parametrize("version", ["v1.5.18", "unknown"])
def test_a_containerd_that_is_too_old_is_refused(tmp_path: Path, version: str) -> None:
    with pytest.raises(NodeError, match=r"expected containerd 1\.6 or later"):
        found(node(tmp_path, {}, version=version))


def test_a_node_without_containerd_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="no containerd in /usr/local/bin"):
        containerd(Host(tmp_path))


def test_a_configuration_that_is_no_text_is_refused(tmp_path: Path) -> None:
    host = node(tmp_path, {"/etc/containerd/config.toml": ""})
    host.at("/etc/containerd/config.toml").write_bytes(b"\xff")
    with pytest.raises(NodeError, match="expected UTF-8"):
        found(host).edits(PREFIX)


def test_the_zygote_is_told_what_it_cannot_guess(tmp_path: Path) -> None:
    files = {f"{K3S}/agent/etc/containerd/config.toml": RENDERED.format(version=2, plugin="x")}
    host = node(tmp_path, {**files, f"{K3S}/data/current/bin/runc": ""}, f"{K3S}/data/current/bin/containerd")
    assert found(host).zygote_environment() == {
        "WHERRY_CONTENT": "/var/lib/rancher/data/io.containerd.content.v1.content",
        "WHERRY_RUNC": f"{K3S}/data/current/bin/runc",
    }


def test_the_zygote_of_a_plain_node_needs_no_telling(tmp_path: Path) -> None:
    host = node(tmp_path, {"/etc/containerd/config.toml": "version = 2\n", "/usr/sbin/runc": ""})
    assert found(host).zygote_environment() == {}


def test_the_unit_keeps_what_runs_and_tells_the_zygote_about_its_node() -> None:
    text = unit.unit(PREFIX, "k3s.service", {"WHERRY_RUNC": "/opt/a b/runc"})
    lines = text.splitlines()
    for line in (
        "Before=k3s.service kubelet.service",
        "KillMode=process",
        "Restart=always",
        "Delegate=yes",
        'Environment="WHERRY_RUNC=/opt/a b/runc"',
    ):
        assert line in lines
    assert f"ExecStart={PREFIX}/current/bin/python -P -m wherry_shim.zygote" in lines
    assert not any(line.startswith("RuntimeDirectory=") for line in lines)


def test_every_distribution_has_a_place_of_its_own() -> None:
    assert len({each.folder for each in DISTRIBUTIONS}) == len(DISTRIBUTIONS)
    assert DISTRIBUTIONS[-1].folder == "/"
    assert max(version for each in DISTRIBUTIONS for version, _ in each.templates) <= table.LATEST
