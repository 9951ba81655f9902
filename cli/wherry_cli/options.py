"""Options that several commands share, and what becomes of them."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from wherry.engine.host import default_cache
from wherry.errors import InputError, InvalidValue
from wherry.oci import credentials, registries
from wherry.oci.access import Access, user_keychain
from wherry.oci.credentials import Credential, Keychain
from wherry.oci.registries import Registries
from wherry.spec.quantity import parse_bytes

Command = Callable[..., None]

FILE = click.Path(path_type=Path)
"""Whether a file can be read is said by who reads it, in the words of every other error."""

INLINE = "WHERRY_REGISTRIES"
"""The text of a registries file, for a container that has no place for the file."""


class Bytes(click.ParamType[int]):
    """A size as Kubernetes writes it, in bytes."""

    name = "size"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return parse_bytes(value)
        except InvalidValue as wrong:
            self.fail(f"got {wrong.got}, expected {wrong.expected}", param, ctx)


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def registry(command: Command) -> Command:
    """Options for the way to a registry; the command gets them as `access`."""

    @click.option("--registries", "registries_file", type=FILE, help="The registries file: endpoints, CAs, plain HTTP.")
    @click.option("--auth-file", "auth_files", multiple=True, type=FILE, help="Logins; else those of docker login.")
    @click.option("--username", metavar="NAME", help="Log in as this user; needs --password-stdin.")
    @click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
    @functools.wraps(command)
    def with_access(
        *,
        registries_file: Path | None,
        auth_files: tuple[Path, ...],
        username: str | None,
        password_stdin: bool,
        **rest: Any,
    ) -> None:
        keychain = keychain_of(auth_files, username, password_stdin)
        command(access=Access(default_cache(), registries_of(registries_file, os.environ), keychain), **rest)

    return with_access


def in_cluster(command: Command) -> Command:
    """Options that say which cluster and namespace are meant, as kubectl has them; the command gets a `target`."""

    @click.option(
        "-n", "--namespace", default="", metavar="NAME", help="The app's namespace; else that of the context."
    )
    @click.option("--context", default="", metavar="NAME", help="The context of the kubeconfig; else the current one.")
    @click.option("--kubeconfig", type=FILE, help="The kubeconfig; else $KUBECONFIG, else ~/.kube/config.")
    @functools.wraps(command)
    def with_target(*, kubeconfig: Path | None, context: str, namespace: str, **rest: Any) -> None:
        from wherry_cli.cluster import target  # noqa: PLC0415  an event loop and more that others need not import

        command(target=target(kubeconfig, context, namespace), **rest)

    return with_target


def registries_of(file: Path | None, environ: Mapping[str, str]) -> Registries:
    """The file that was named, else the environment's text, else nothing. Raises InputError."""
    if file:
        return registries.load(file)
    return registries.parse(environ[INLINE], INLINE) if environ.get(INLINE) else {}


def keychain_of(auth_files: tuple[Path, ...], username: str | None, password_stdin: bool) -> Keychain:
    """Who we are at a registry: as named here, else as Docker knows us. Raises InputError, UsageError."""
    if (username is not None) != password_stdin:
        raise click.UsageError("--username and --password-stdin go together: a password is never an argument.")
    if username is not None:
        return Keychain(everywhere=Credential(username, password_from(sys.stdin.readline())))
    if auth_files:
        return credentials.joined(map(credentials.load, auth_files))
    return user_keychain(os.environ, Path.home())


def password_from(line: str) -> str:
    """A password without its line's end. Raises InputError for an empty one."""
    password = line.rstrip("\r\n")
    if not password:
        raise InputError("--password-stdin: standard input holds no password", cure="pipe it in, on one line")
    return password


def pairs(option: str, given: tuple[str, ...]) -> dict[str, str]:
    """KEY=VALUE options as a mapping. Raises InputError."""
    found: dict[str, str] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise InputError(f"{option}: got {text!r}, expected KEY=VALUE")
        found[key] = value
    return found


def contents(option: str, path: Path) -> bytes:
    """The bytes of a file named by an option. Raises InputError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{option} {path}: {error.strerror}", cure="name a readable file") from None
