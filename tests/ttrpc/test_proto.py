"""The committed modules are what our `.proto` files give, and say what containerd says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message

from tests.architecture.tree import ROOT
from wherry_shim.proto import (
    cgroup1_pb2,
    cgroup2_pb2,
    events_pb2,
    forward_pb2,
    runc_options_pb2,
    runtime_options_pb2,
    task_pb2,
    topics,
    typeurl,
)
from wherry_shim.proto.services import EVENTS_SERVICE, TASK_SERVICES

PROTO = ROOT / "shim" / "wherry_shim" / "proto"


def test_the_generated_modules_are_those_of_the_proto_files(tmp_path: Path) -> None:
    sources = sorted(str(path) for path in PROTO.glob("*.proto"))
    out = [f"--python_out={tmp_path}", f"--pyi_out={tmp_path}"]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT / 'shim'}", *out, *sources], check=True)
    fresh = {path.name: path.read_text() for path in (tmp_path / "wherry_shim" / "proto").iterdir()}
    committed = {path.name: path.read_text() for path in PROTO.glob("*_pb2.py*")}
    assert committed.keys() == fresh.keys()
    assert [name for name in fresh if committed[name] != fresh[name]] == [], "run make proto"


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (events_pb2.TaskExit, "containerd.events.TaskExit"),
        (cgroup1_pb2.Metrics, "io.containerd.cgroups.v1.Metrics"),
        (cgroup2_pb2.Metrics, "io.containerd.cgroups.v2.Metrics"),
        (runc_options_pb2.Options, "containerd.runc.v1.Options"),
        (runc_options_pb2.ProcessDetails, "containerd.runc.v1.ProcessDetails"),
        (runtime_options_pb2.Options, "runtimeoptions.v1.Options"),
    ],
)
def test_what_travels_in_an_any_has_the_name_that_containerd_knows(message: type[Message], name: str) -> None:
    assert typeurl.packed(message()).type_url == name


def test_an_any_is_read_whoever_packed_it() -> None:
    options = runc_options_pb2.Options(binary_name="crun")
    foreign = Any(type_url="type.googleapis.com/containerd.runc.v1.Options", value=options.SerializeToString())
    for content in (typeurl.packed(options), foreign):
        assert typeurl.unpacked(content, runc_options_pb2.Options) == options


def test_an_any_of_another_type_says_both_types() -> None:
    content = typeurl.packed(runtime_options_pb2.Options())
    with pytest.raises(ValueError, match=r"got .*'runtimeoptions.v1.Options', expected 'containerd.runc.v1.Options'"):
        typeurl.unpacked(content, runc_options_pb2.Options)


def test_every_event_of_a_task_has_a_topic() -> None:
    events = {name for name in events_pb2.DESCRIPTOR.message_types_by_name if name != "TaskIO"}
    assert {event.DESCRIPTOR.name for event in topics.TOPICS} == events
    assert topics.topic_of(events_pb2.TaskExecAdded()) == "/tasks/exec-added"


def test_services_have_the_names_of_the_proto_files() -> None:
    assert forward_pb2.DESCRIPTOR.services_by_name["Events"].full_name == EVENTS_SERVICE
    assert task_pb2.DESCRIPTOR.services_by_name["Task"].full_name == TASK_SERVICES[1]
