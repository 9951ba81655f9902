"""Logins from Secrets: read in both forms, matched and tried as the kubelet does, never lent to another app."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.supply.world import World, app, publish, verdicts
from tests.support.registry import Registry
from tests.support.token_server import PASSWORD, USER
from wherry.errors import InputError
from wherry.oci.credentials import Credential, candidates
from wherry.oci.reference import parse
from wherry_operator.manifest import Identity
from wherry_operator.supply import pull_secrets
from wherry_operator.supply.wanted import sources


def login(user: str = USER, password: str = PASSWORD) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def config_json(**hosts: Any) -> dict[str, bytes]:
    return {".dockerconfigjson": json.dumps({"auths": hosts}).encode()}


def config(**hosts: Any) -> dict[str, bytes]:
    return {".dockercfg": json.dumps(hosts).encode()}


FORMS = {"dockerconfigjson": config_json, "dockercfg": config}
PULL = {"secrets": [{"name": "registry"}]}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["tls_password", "token"])
def test_a_secret_of_either_form_opens_a_registry(
    kind: str, form: str, world: World, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server: Registry = request.getfixturevalue(kind)
    reference = f"{world.knows(server)}/private/{form}:v1"
    publish(server, tmp_path, reference)
    world.objects.data["Secret", "registry"] = FORMS[form](**{server.host: login()})
    assert verdicts(world.supply(app(reference, pull=PULL)))[0] == ("True", "Resolved")


@pytest.mark.parametrize("kind", ["tls_password", "token"])
def test_without_a_secret_a_private_artifact_is_unauthorized(
    kind: str, world: World, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server: Registry = request.getfixturevalue(kind)
    reference = f"{world.knows(server)}/private/none:v1"
    publish(server, tmp_path, reference)
    supplied = world.supply(app(reference))
    assert (supplied.artifact, verdicts(supplied)[0]) == (None, ("False", "Unauthorized"))
    assert supplied.resolved.message.endswith("name a Secret with a login that may pull it in spec.pull.secrets")


def test_a_wrong_password_is_unauthorized_and_never_shown(world: World, tls_password: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(tls_password)}/private/wrong:v1"
    publish(tls_password, tmp_path, reference)
    world.objects.data["Secret", "registry"] = config_json(**{tls_password.host: login(password="open sesame")})
    supplied = world.supply(app(reference, pull=PULL))
    assert verdicts(supplied)[0] == ("False", "Unauthorized")
    assert "open sesame" not in str(supplied)


def test_the_next_login_is_tried_when_one_is_refused(world: World, tls_password: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(tls_password)}/private/second:v1"
    publish(tls_password, tmp_path, reference)
    world.objects.data["Secret", "registry"] = config_json(**{f"{tls_password.host}/private": login("mallory")})
    world.objects.data["Secret", "other"] = config_json(**{tls_password.host: login()})
    given = app(reference, pull={"secrets": [{"name": "registry"}, {"name": "other"}]})
    assert verdicts(world.supply(given))[0] == ("True", "Resolved")


def test_an_app_without_secrets_gets_those_of_its_service_account(
    world: World, tls_password: Registry, tmp_path: Path
) -> None:
    reference = f"{world.knows(tls_password)}/private/account:v1"
    publish(tls_password, tmp_path, reference)
    world.objects.data["Secret", "registry"] = config_json(**{tls_password.host: login()})
    world.objects.accounts = {"default": ("gone",), "puller": ("gone", "registry")}
    template = {"spec": {"serviceAccountName": "puller"}}
    by_default, by_puller = app(reference), app(reference, podTemplate=template)
    assert verdicts(world.supply(by_default))[0] == ("False", "Unauthorized")
    assert verdicts(world.supply(by_puller))[0] == ("True", "Resolved")


def test_an_app_with_secrets_of_its_own_gets_no_others(world: World, tls_password: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(tls_password)}/private/own:v1"
    publish(tls_password, tmp_path, reference)
    world.objects.data["Secret", "registry"] = config_json(**{tls_password.host: login()})
    world.objects.data["Secret", "empty"] = config_json()
    world.objects.accounts = {"default": ("registry",)}
    given = app(reference, podTemplate={"spec": {"imagePullSecrets": [{"name": "empty"}]}})
    assert verdicts(world.supply(given))[0] == ("False", "Unauthorized")


def test_a_secret_that_is_not_there_is_named(world: World, tls_password: Registry) -> None:
    supplied = world.supply(app(f"{world.knows(tls_password)}/private/missing:v1", pull=PULL))
    assert verdicts(supplied) == (("False", "PullSecretMissing"), ("Unknown", "NotAsked"))
    assert supplied.resolved.message == (
        "spec.pull.secrets: Secret shop/registry is not there; make it with `kubectl create secret docker-registry`"
    )


INVALID = [
    ({}, "Secret shop/registry: got the keys nothing, expected .dockerconfigjson or .dockercfg"),
    ({"password": b"x"}, "got the keys password"),
    ({".dockerconfigjson": b"{"}, ".dockerconfigjson: got no JSON"),
    ({".dockerconfigjson": b"[]"}, ".dockerconfigjson: got no object"),
    ({".dockerconfigjson": b'{"auths": []}'}, ".dockerconfigjson: got no object with `auths`"),
    (config_json(**{"ghcr.io": {"auth": "s3cret"}}), ".dockerconfigjson: auths['ghcr.io']: got an `auth`"),
    (config(**{"ghcr.io": {"auth": "s3cret"}}), ".dockercfg['ghcr.io']: got an `auth`"),
    (config(**{"ghcr.io": []}), ".dockercfg['ghcr.io']: got a list"),
]


@pytest.mark.parametrize(("data", "told"), INVALID)
def test_a_secret_of_another_form_says_which_field_is_wrong(
    data: dict[str, bytes], told: str, world: World, plain: Registry
) -> None:
    world.objects.data["Secret", "registry"] = data
    supplied = world.supply(app(f"{world.knows(plain)}/private/invalid:v1", pull=PULL))
    assert verdicts(supplied)[0] == ("False", "PullSecretInvalid")
    assert told in supplied.resolved.message
    assert "s3cret" not in supplied.resolved.message


def test_logins_come_the_most_specific_first_and_each_once() -> None:
    one = pull_secrets.keychain(config_json(**{"ghcr.io": login("a"), "*.io": login("b")}), "one")
    two = pull_secrets.keychain(config(**{"https://ghcr.io/acme": login("c"), "ghcr.io": login("a")}), "two")
    users = [each.username for each in candidates((one, two), parse("ghcr.io/acme/hello:v1"))]
    assert users == ["c", "a", "b"]


def test_a_login_for_docker_hub_is_found_under_its_old_name() -> None:
    chain = pull_secrets.keychain(config_json(**{"https://index.docker.io/v1/": login()}), "hub")
    assert candidates([chain], parse("acme/hello:v1")) == (Credential(USER, PASSWORD),)


def test_a_secret_without_a_known_key_is_refused() -> None:
    with pytest.raises(InputError, match="got the keys a, b, expected"):
        pull_secrets.keychain({"b": b"", "a": b""}, "Secret x")


def test_an_app_names_what_its_answer_depends_on() -> None:
    keys = [{"secret": {"name": "signing", "key": "a"}}, {"configMap": {"name": "keys", "key": "b"}}]
    given = app("ghcr.io/acme/hello", pull=PULL, verify={"keys": keys})
    assert sources(given) == {
        Identity("v1", "Secret", "shop", "signing"),
        Identity("v1", "ConfigMap", "shop", "keys"),
        Identity("v1", "Secret", "shop", "registry"),
    }
