"""Which artifact is to run: what the spec names, a revision that it asks to go back to, or the last good one.

    found = look_up(sought(app))
    good = look_up(reference) if (reference := instead(app, found)) else None
    supplied = settled(app, found, good)

That a digest is put away is decided with the status (`put_away`), written, and acted on by the next pass: whatever is
killed in between, what was decided is known.
"""

from __future__ import annotations

from dataclasses import replace

from wherry.errors import InvalidReference
from wherry.oci.reference import parse
from wherry.spec.model import WasmApp
from wherry.spec.status import ArtifactStatus, Rejected
from wherry_operator.status import revisions
from wherry_operator.supply.supplied import Supplied


def in_force(app: WasmApp) -> bool:
    """Whether spec.rollback counts: only for the artifact that it was written for."""
    return app.spec.rollback is not None and app.spec.rollback.artifact == app.spec.artifact


def sought(app: WasmApp) -> str:
    """The reference to look up."""
    if app.spec.rollback is None or not in_force(app):
        return app.spec.artifact
    digest = app.spec.rollback.digest
    known = {each.digest: each.reference for each in app.status.revisions}
    return _pinned(known.get(digest, app.spec.artifact), digest)


def instead(app: WasmApp, found: Supplied) -> str:
    """The reference to look up in place of what was found; "" where that may run, or nothing is known to be better."""
    if (
        found.artifact is None
        or found.artifact.digest not in _away(app, found.artifact)
        or _replaced(app, found.artifact)
    ):
        return ""
    good = revisions.last_good(app.status.revisions, _away(app, found.artifact))
    return _pinned(good.reference, good.digest) if good else ""


def settled(app: WasmApp, found: Supplied, good: Supplied | None) -> Supplied:
    """What is rendered and remembered. good: what `instead` came to, None where that was "".

    What runs in place of another is remembered under its inputs, so that neither is looked up again.
    """
    if found.artifact is None:
        return found
    if good is not None:
        return replace(good, artifact=good.artifact and _remembered(good.artifact, found.artifact))
    known = app.status.artifact
    if known is not None and _replaced(app, found.artifact):
        return replace(found, artifact=_remembered(known, found.artifact))
    return found


def rejected(app: WasmApp, found: ArtifactStatus | None) -> tuple[Rejected, ...]:
    """What was put away and stays so. What a digest is found from has changed: then everything may be tried again."""
    known = app.status.artifact
    if found is not None and (known is None or known.inputs != found.inputs):
        return ()
    return app.status.rejected


def put_away(app: WasmApp, failing: ArtifactStatus, why: str, now: str) -> tuple[Rejected, ...]:
    """`rejected` once `failing` was late: longer by it where automatic rollback has something to go back to.

    What the user went back to by hand stays, and so does what was the last good one: then not the digest is to blame.
    """
    before, away = rejected(app, failing), _away(app, failing)
    latest = app.status.revisions[:1]
    asked = app.spec.rollout.automatic_rollback and not in_force(app)
    if not asked or failing.digest in away | {each.digest for each in latest}:
        return before
    if revisions.last_good(app.status.revisions, away | {failing.digest}) is None:
        return before
    return (Rejected(digest=failing.digest, reason=why, time=now), *before)


def stands_in(app: WasmApp, artifact: ArtifactStatus) -> bool:
    """Whether an artifact runs in place of one that was put away: by a digest that the spec does not name."""
    pinned = f"@{artifact.digest}"
    return bool(rejected(app, artifact)) and artifact.reference.endswith(pinned) and not sought(app).endswith(pinned)


def _away(app: WasmApp, found: ArtifactStatus) -> set[str]:
    return {each.digest for each in rejected(app, found)}


def _replaced(app: WasmApp, found: ArtifactStatus) -> bool:
    """Whether what is remembered already runs in place of what was found."""
    known, away = app.status.artifact, _away(app, found)
    return known is not None and found.digest in away and known.digest not in away


def _remembered(runs: ArtifactStatus, found: ArtifactStatus) -> ArtifactStatus:
    return replace(runs, inputs=found.inputs)


def _pinned(reference: str, digest: str) -> str:
    try:
        return str(parse(reference).pinned(digest))
    except InvalidReference:
        return f"{reference}@{digest}"
