"""One row for each kind of fault: the code and the sentence that a client gets."""

from __future__ import annotations

import errno
import os

import pytest

from wherry.errors import ArtifactError, InvalidModule, StartError
from wherry_shim.ttrpc.codes import CODES, Code, RpcError, is_ours, rpc_error


def of_errno(number: int) -> OSError:
    return OSError(number, os.strerror(number), "/there")


FAULTS: list[tuple[BaseException, Code, str]] = [
    (RpcError(Code.ABORTED, "as it is"), Code.ABORTED, "as it is"),
    (
        StartError("mount", "/data is a file, expected a folder", cure="mount a folder"),
        Code.FAILED_PRECONDITION,
        "start/mount: /data is a file, expected a folder; mount a folder",
    ),
    (InvalidModule("no magic"), Code.INVALID_ARGUMENT, "no magic"),
    (ArtifactError("refused"), Code.FAILED_PRECONDITION, "refused"),
    (NotImplementedError("exec of Wasm"), Code.UNIMPLEMENTED, "exec of Wasm"),
    (TimeoutError(), Code.DEADLINE_EXCEEDED, "TimeoutError"),
    (MemoryError(), Code.RESOURCE_EXHAUSTED, "MemoryError"),
    (of_errno(errno.EACCES), Code.PERMISSION_DENIED, "[Errno 13] Permission denied: '/there'"),
    (of_errno(errno.ESRCH), Code.NOT_FOUND, "[Errno 3] No such process: '/there'"),
    (of_errno(errno.ENOENT), Code.FAILED_PRECONDITION, "[Errno 2] No such file or directory: '/there'"),
    (of_errno(errno.EEXIST), Code.ALREADY_EXISTS, "[Errno 17] File exists: '/there'"),
    (of_errno(errno.ENOSPC), Code.RESOURCE_EXHAUSTED, "[Errno 28] No space left on device: '/there'"),
    (of_errno(errno.EIO), Code.INTERNAL, "[Errno 5] Input/output error: '/there'"),
    (KeyError("a1"), Code.INTERNAL, "KeyError: 'a1'"),
    (ZeroDivisionError(), Code.INTERNAL, "ZeroDivisionError"),
]


@pytest.mark.parametrize(("fault", "code", "sentence"), FAULTS, ids=[repr(fault) for fault, *_ in FAULTS])
def test_a_fault_has_one_code_and_one_sentence(fault: BaseException, code: Code, sentence: str) -> None:
    error = rpc_error(fault)
    assert (error.code, str(error)) == (code, sentence)
    assert is_ours(fault) == (code is Code.INTERNAL)


def test_every_line_of_the_table_is_tried_here() -> None:
    used = {next((kind for kind, _ in CODES if isinstance(fault, kind)), None) for fault, *_ in FAULTS}
    assert {kind for kind, _ in CODES} <= used


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EDQUOT, errno.EAGAIN])
def test_what_is_used_up_on_the_node_says_so(number: int) -> None:
    assert rpc_error(of_errno(number)).code == Code.RESOURCE_EXHAUSTED
