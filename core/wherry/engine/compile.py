"""The compiler process: `python -m wherry.engine.compile BUILD DIGEST MEMORY SECONDS <wasm >code`.

A compiler that reads hostile bytes gets a process of its own: without privileges where it has any to give up, with
bounded memory and CPU, and dead as soon as its parent is. The parent stays free of the compiler's threads, so that it
may fork. Exit status: 0, or REFUSED and a StartError as JSON in the last line of stderr; any other is a compiler that
was stopped.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import resource
import signal
import sys
from ctypes import byref, c_void_p

from wherry.engine import capi
from wherry.engine.config import Build, Engine, new_engine
from wherry.engine.placed import place
from wherry.errors import InvalidModule, StartError, WherryError
from wherry.wasm.image import lift_images
from wherry.wasm.inspect import kind_of

REFUSED = 64
NOBODY = 65534
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38


def main(arguments: list[str]) -> int:
    build, digest, memory, seconds = arguments
    _confine(int(memory), int(seconds))
    try:
        code = compiled(_guest(digest), Build(**json.loads(build)))
    except StartError as error:
        return _refuse(error)
    except WherryError as error:
        return _refuse(StartError("invalid-module", error.message, cure=error.cure))
    try:
        sys.stdout.buffer.write(code)
        sys.stdout.buffer.flush()
    except OSError as error:
        message = f"its machine code of {len(code)} bytes cannot be kept: {error.strerror}"
        return _refuse(StartError("compile", message, cure="free some space in the cache"))
    return 0


def _guest(digest: str) -> bytes:
    guest = sys.stdin.buffer.read()
    if (found := f"sha256:{hashlib.sha256(guest).hexdigest()}") != digest:
        message = f"the bytes have the digest {found}, expected {digest}"
        raise StartError("digest-mismatch", message, cure="fetch the artifact again")
    return guest


def _refuse(error: StartError) -> int:
    print(json.dumps({"reason": error.reason, "message": error.message, "cure": error.cure}), file=sys.stderr)
    return REFUSED


def compiled(guest: bytes, build: Build) -> bytes:
    """What the code's file holds: machine code of the guest, composed with build's adapter if it has one, and images.

    Raises InvalidModule, StartError.
    """
    if build.adapter != "none":
        # Only a few guests are composed: the rest need not pay for the import.
        from wherry.engine.adapter.compose import compose  # noqa: PLC0415

        guest = compose(guest, build.adapter)
    guest, images = lift_images(guest) if build.lifted else (guest, [])
    with new_engine(build) as engine:
        code = _serialized(engine, guest)
    return place(code, images) if build.lifted else code


def _serialized(engine: Engine, guest: bytes) -> bytes:
    if kind_of(guest) == "component":
        new, serialize = capi.component_new, capi.component_serialize
    else:
        new, serialize = capi.module_new, capi.module_serialize
    module, code = c_void_p(), capi.Bytes()
    if error := new(engine.pointer, guest, len(guest), byref(module)):
        raise InvalidModule(capi.take_error(error))
    if error := serialize(module, byref(code)):
        raise StartError("compile", capi.take_error(error))
    return capi.take_bytes(code)


def _confine(memory: int, seconds: int) -> None:
    for kind, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(kind)
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)  # whoever started us may have set less
        resource.setrlimit(kind, (limit, limit))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # Last, because a change of user clears it.
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


if __name__ == "__main__":
    # The process is thrown away whole: unwinding it would only take time.
    sys.stderr.flush()
    os._exit(main(sys.argv[1:]))
