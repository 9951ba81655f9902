"""Faults as the status that is answered: gRPC's codes, and the one table from exceptions to them. Pure."""

from __future__ import annotations

import errno
from enum import IntEnum

from wherry.errors import InputError, StartError, WherryError


class Code(IntEnum):
    """gRPC's status codes; containerd acts upon NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION and UNIMPLEMENTED."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class RpcError(WherryError):
    """A call that is answered with a status instead of a message. code is a number that gRPC may not know."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


CODES: tuple[tuple[type[BaseException], Code], ...] = (
    (InputError, Code.INVALID_ARGUMENT),
    (WherryError, Code.FAILED_PRECONDITION),
    (NotImplementedError, Code.UNIMPLEMENTED),
    (TimeoutError, Code.DEADLINE_EXCEEDED),
    (MemoryError, Code.RESOURCE_EXHAUSTED),
    (PermissionError, Code.PERMISSION_DENIED),
    # NOT_FOUND tells containerd that the task or its process is gone, and it forgets them. A signal that found no
    # process says so; a file that was not there does not.
    (ProcessLookupError, Code.NOT_FOUND),
    (FileNotFoundError, Code.FAILED_PRECONDITION),
    (FileExistsError, Code.ALREADY_EXISTS),
)
"""The first line that fits counts. What is not here is a fault of ours: INTERNAL."""

_USED_UP = frozenset({errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN})


def rpc_error(fault: BaseException) -> RpcError:
    """What a call that ended so is answered."""
    if isinstance(fault, RpcError):
        return fault
    return RpcError(_code(fault), _sentence(fault))


def is_ours(fault: BaseException) -> bool:
    """Whether nobody but a programmer can mend it."""
    return rpc_error(fault).code == Code.INTERNAL


def _code(fault: BaseException) -> Code:
    if isinstance(fault, OSError) and fault.errno in _USED_UP:
        return Code.RESOURCE_EXHAUSTED
    return next((code for kind, code in CODES if isinstance(fault, kind)), Code.INTERNAL)


def _sentence(fault: BaseException) -> str:
    if isinstance(fault, StartError):
        return f"start/{fault.reason}: {fault}"
    if isinstance(fault, WherryError | OSError | NotImplementedError) and str(fault):
        return str(fault)
    return f"{type(fault).__name__}: {fault}" if str(fault) else type(fault).__name__
