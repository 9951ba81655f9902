"""Everything that can go wrong, in terms of who can mend it.

WherryError
├── InputError            the user wrote it: a document, a flag, a reference, a file
│   ├── InvalidValue      one value: a size, a duration, an origin
│   ├── InvalidApp        a WasmApp document; carries every wrong field at once
│   ├── InvalidReference  not a registry reference, OCI layout or file
│   └── InvalidModule     bytes that are not a Wasm module or component
├── RegistryError         a registry or the way to it; says whether a retry may help
├── ArtifactError         an artifact that was fetched but is not acceptable
│   └── LayoutNotRunnable its layout is known and cannot run; says why and the cure
├── VerificationError     no signature that the policy accepts
└── StartError            a plan that could not be started; `reason` is one of wherry.plan.ending

Every message is one sentence that says where, what was found and what was expected; `cure` says what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class WherryError(Exception):
    """A fault with one clear message for a person; never shown with a traceback."""

    def __init__(self, message: str, *, cure: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.message}; {self.cure}" if self.cure else self.message


class InputError(WherryError):
    """What the user wrote cannot be used."""


class InvalidValue(InputError):
    """One value that does not read as what it should be. got and expected are short phrases."""

    def __init__(self, got: str, expected: str, *, cure: str = "") -> None:
        self.got = got
        self.expected = expected
        super().__init__(f"got {got}, expected {expected}", cure=cure)


@dataclass(frozen=True)
class FieldError:
    """One wrong field of a document.

    path is dotted with indexes (`spec.env[2].name`); got and expected are short phrases; cure may suggest a name.
    """

    path: str
    got: str
    expected: str
    cure: str = ""

    def __str__(self) -> str:
        tail = f", {self.cure}" if self.cure else ""
        return f"{self.path}: got {self.got}, expected {self.expected}{tail}"


class InvalidApp(InputError):
    """A WasmApp document with wrong fields; `fields` holds all of them."""

    def __init__(self, source: str, fields: Sequence[FieldError]) -> None:
        self.source = source
        self.fields = tuple(fields)
        super().__init__("\n".join(f"{source}: {field}" for field in self.fields))


class InvalidReference(InputError):
    """A text that names no artifact."""


class InvalidModule(InputError):
    """Bytes that are not a WebAssembly module or component that this host knows."""


class RegistryError(WherryError):
    """A registry, or the way to it, failed. retry_after is in seconds, None when the registry did not say."""

    def __init__(
        self,
        message: str,
        *,
        kind: str,
        cure: str = "",
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, cure=cure)
        self.kind = kind
        self.retryable = retryable
        self.retry_after = retry_after


class ArtifactError(WherryError):
    """An artifact that was read and refused."""


class LayoutNotRunnable(ArtifactError):
    """An artifact whose layout is recognised and cannot run here."""


class VerificationError(WherryError):
    """No signature on the artifact satisfies the policy. Fail closed."""


class StartError(WherryError):
    """A plan that could not start. reason is one of `wherry.plan.ending.START_REASONS`."""

    def __init__(self, reason: str, message: str, *, cure: str = "") -> None:
        super().__init__(message, cure=cure)
        self.reason = reason
