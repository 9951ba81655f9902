"""The digests that an app has run, the newest first: what a rollback may go back to.

A digest enters when it is available for the first time, so that everything in the list once worked.
"""

from __future__ import annotations

from wherry.spec.status import ArtifactStatus, Revision


def with_running(revisions: tuple[Revision, ...], artifact: ArtifactStatus, now: str) -> tuple[Revision, ...]:
    """The list once `artifact` does its work. It comes to the front, and stands there once."""
    if revisions and revisions[0].digest == artifact.digest:
        return revisions
    others = tuple(each for each in revisions if each.digest != artifact.digest)
    reference = _reference(revisions, artifact)
    return (Revision(digest=artifact.digest, reference=reference, index=artifact.index, since=now), *others)


def last_good(revisions: tuple[Revision, ...], but: set[str]) -> Revision | None:
    """The newest whose digest is not among `but`."""
    return next((each for each in revisions if each.digest not in but), None)


def _reference(revisions: tuple[Revision, ...], artifact: ArtifactStatus) -> str:
    """A digest that was gone back to keeps the tag that it came from: people know it by that."""
    known = {each.digest: each.reference for each in revisions}
    pinned = artifact.reference.endswith(f"@{artifact.digest}")
    return known.get(artifact.digest, artifact.reference) if pinned else artifact.reference
