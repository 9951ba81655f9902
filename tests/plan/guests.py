"""What modules say of themselves, and what a command line gives so that any app of the tables can be planned."""

from __future__ import annotations

from wherry.plan.from_app import Local, Module
from wherry.plan.model import WasmFile
from wherry.spec.model import WasmApp
from wherry.wasm.module import Inspection

DIGEST = "sha256:" + "0123456789abcdef" * 4
FILE = WasmFile("/cache/app.wasm", DIGEST)

HTTP = Inspection("component", "0.2", "", (), ("wasi:http/incoming-handler@0.2.3",), 100, "http")
COMMAND = Inspection("component", "0.2", "", (), ("wasi:cli/run@0.2.0",), 100, "command")
PREVIEW1 = Inspection("module", "preview1", "wasi_snapshot_preview1", (), ("memory", "_start"), 100, "command")
LIBRARY = Inspection("module", None, "", (), ("memory", "add"), 100, None)
LATER = Inspection("component", "0.3", "", (), ("wasi:http/handler@0.3.0",), 100, "http")


def guest(said: Inspection) -> Module:
    return Module(FILE, said)


def generous(app: WasmApp) -> Local:
    """A value for each variable whose value a cluster has, a folder for each file grant."""
    elsewhere = {variable.name: f"secret of {variable.name}" for variable in app.spec.env if variable.value_from}
    whole = {f"{source.prefix or ''}WHOLE": "from a whole source" for source in app.spec.env_from}
    folders = {grant.name: f"/host/{grant.name}" for grant in app.spec.capabilities.files}
    return Local(env=elsewhere | whole, mounts=folders)
