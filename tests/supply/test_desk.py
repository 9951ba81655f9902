"""Many apps, few questions: who asks the same shares an answer, who failed waits, and no host holds up another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.supply.test_pull_secrets import config_json, login
from tests.supply.world import NAMESPACE, World, after, app, publish, run, verdicts
from tests.support import hostile_answers
from tests.support.hostile_handler import Hostile
from tests.support.hostile_registry import hostile_registry
from tests.support.registry import Registry
from tests.support.registry_log import requests
from tests.support.token_server import PASSWORD, USER
from wherry.oci.registries import Entry
from wherry.oci.transport.patience import Patience
from wherry.spec.model import WasmApp
from wherry_operator.manifest import Key
from wherry_operator.supply.supplied import Supplied
from wherry_operator.supply.supplier import Supplier

MANY = 50
BOUND = 30.0


@pytest.fixture(scope="module")
def hostile() -> Iterator[Hostile]:
    with hostile_registry() as server:
        yield server


def all_at_once(supplier: Supplier, apps: list[WasmApp]) -> list[Supplied]:
    async def scenario() -> list[Supplied]:
        return await asyncio.gather(*(supplier.supply(each, ()) for each in apps))

    return run(scenario())


def manifests(server: Registry, repository: str) -> int:
    return len([path for method, path in requests(server, f"{repository}/manifests/") if method == "GET"])


def test_fifty_apps_with_one_artifact_resolve_once(world: World, plain: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(plain)}/desk/fifty:v1"
    publish(plain, tmp_path, reference)
    supplied = all_at_once(world.supplier(), [app(reference, f"app-{i}") for i in range(MANY)])
    assert {each.artifact.digest for each in supplied if each.artifact} == {supplied[0].resolved.message}
    assert all(each.artifact for each in supplied)
    assert manifests(plain, "desk/fifty") == 1


def test_apps_that_come_one_after_another_download_once(world: World, plain: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(plain)}/desk/later:v1"
    publish(plain, tmp_path, reference)
    supplier = world.supplier()
    for i in range(3):
        assert run(supplier.supply(app(reference, f"app-{i}"), ())).artifact
    gets = [path for method, path in requests(plain, "desk/later/blobs") if method == "GET"]
    assert manifests(plain, "desk/later") == 3
    assert len(gets) == 3 + 1, "a config for each, the bytes once"


def test_an_answer_is_not_lent_to_an_app_with_other_secrets(
    world: World, tls_password: Registry, tmp_path: Path
) -> None:
    reference = f"{world.knows(tls_password)}/desk/private:v1"
    publish(tls_password, tmp_path, reference)
    world.objects.data["Secret", "registry"] = config_json(**{tls_password.host: login(USER, PASSWORD)})
    world.objects.data["Secret", "wrong"] = config_json(**{tls_password.host: login(USER, "guess")})
    apps = [
        app(reference, "owner", pull={"secrets": [{"name": "registry"}]}),
        app(reference, "stranger"),
        app(reference, "guesser", pull={"secrets": [{"name": "wrong"}]}),
    ]
    supplier = world.supplier()
    for _ in range(2):
        owner, *others = all_at_once(supplier, apps)
        assert owner.artifact
        assert [(each.artifact, each.resolved.reason) for each in others] == [(None, "Unauthorized")] * 2


def test_a_digest_that_another_app_may_read_is_asked_for_all_the_same(
    world: World, tls_password: Registry, tmp_path: Path
) -> None:
    digest = publish(tls_password, tmp_path, f"{world.knows(tls_password)}/desk/pinned:v1")
    pinned = f"{tls_password.host}/desk/pinned@{digest}"
    world.objects.data["Secret", "registry"] = config_json(**{tls_password.host: login(USER, PASSWORD)})
    supplier = world.supplier()
    owner = run(supplier.supply(app(pinned, "owner", pull={"secrets": [{"name": "registry"}]}), ()))
    stranger = run(supplier.supply(app(pinned, "stranger"), ()))
    assert owner.artifact
    assert (stranger.artifact, stranger.resolved.reason) == (None, "Unauthorized")


def test_a_mended_secret_is_tried_at_once(world: World, tls_password: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(tls_password)}/desk/mended:v1"
    publish(tls_password, tmp_path, reference)
    given = app(reference, pull={"secrets": [{"name": "registry"}]})
    supplier = world.supplier()
    world.objects.data["Secret", "registry"] = config_json(**{tls_password.host: login(USER, "guess")})
    assert run(supplier.supply(given, ())).artifact is None
    world.objects.data["Secret", "registry"] = config_json(**{tls_password.host: login(USER, PASSWORD)})
    assert run(supplier.supply(given, ())).artifact


def test_what_failed_is_not_asked_again_before_its_time(world: World, plain: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(plain)}/desk/soon:v1"
    supplier, given = world.supplier(), app(f"{reference}")
    told = []
    for _ in range(5):
        told.append(run(supplier.supply(given, ())))
        asked = manifests(plain, "desk/soon")
        assert run(supplier.supply(given, ())).resolved == told[-1].resolved
        assert manifests(plain, "desk/soon") == asked
        world.now += told[-1].again or 0
    assert {each.resolved for each in told} == {told[0].resolved}
    assert [each.again for each in told] == [2.0, 4.0, 8.0, 16.0, 32.0]
    publish(plain, tmp_path, reference)
    assert run(supplier.supply(given, ())).artifact


def test_an_app_that_is_gone_is_forgotten(world: World, plain: Registry) -> None:
    supplier, given = world.supplier(), app(f"{world.knows(plain)}/desk/gone:v1")
    run(supplier.supply(given, ()))
    supplier.forget(Key(NAMESPACE, "hello"))
    asked = manifests(plain, "desk/gone")
    assert run(supplier.supply(given, ())).again == 2.0
    assert manifests(plain, "desk/gone") == asked + 1


def test_a_host_that_fails_is_asked_by_one_app_and_not_by_all(
    world: World, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.registries[hostile.host] = Entry(plain_http=True)
    monkeypatch.setitem(hostile_answers.ANSWERS, ("crowd", "any"), hostile_answers.ANSWERS["e500", "any"])
    apps = [app(f"{hostile.host}/t/crowd:v{i}", f"app-{i}") for i in range(MANY)]
    supplier = world.supplier()
    first = all_at_once(supplier, apps)
    asked = len({seen.path for seen in hostile.seen if "/t/crowd/" in seen.path})
    assert {each.resolved.reason for each in first} == {"RegistryUnavailable"}
    assert asked <= 4
    world.now += max(each.again or 0 for each in first)
    all_at_once(supplier, apps)
    assert len({seen.path for seen in hostile.seen if "/t/crowd/" in seen.path}) <= asked + 1
    monkeypatch.delitem(hostile_answers.ANSWERS, ("crowd", "any"))
    for _ in range(3):
        world.now += 100
        last = all_at_once(supplier, apps)
    assert all(each.artifact for each in last)


def test_a_silent_host_holds_up_neither_the_loop_nor_another_host(
    world: World, plain: Registry, hostile: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = f"{world.knows(plain)}/desk/quick:v1"
    publish(plain, tmp_path, reference)
    world.registries[hostile.host] = Entry(plain_http=True)
    world.patience = Patience(idle=2 * BOUND, small=2 * BOUND, whole=2 * BOUND)
    asked = threading.Event()

    def silent(*request: Any) -> None:
        asked.set()
        hostile_answers.ANSWERS["silent", "any"](*request)

    monkeypatch.setitem(hostile_answers.ANSWERS, ("quiet", "any"), silent)

    async def scenario() -> tuple[bool, Supplied]:
        supplier = world.supplier()
        slow = [
            asyncio.ensure_future(supplier.supply(app(f"{hostile.host}/t/quiet:v{i}", f"slow-{i}"), ()))
            for i in range(MANY)
        ]
        assert await asyncio.to_thread(asked.wait, BOUND)
        quick = await asyncio.wait_for(supplier.supply(app(reference), ()), BOUND)
        pending = all(not each.done() for each in slow)
        supplier.close()
        await asyncio.gather(*slow, return_exceptions=True)
        return pending, quick

    pending, quick = run(scenario())
    assert quick.artifact
    assert pending


def test_a_caller_that_gives_up_ends_nobody_elses_question(world: World, plain: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(plain)}/desk/cancelled:v1"
    publish(plain, tmp_path, reference)

    async def scenario() -> Supplied:
        supplier = world.supplier()
        first = asyncio.ensure_future(supplier.supply(app(reference, "first"), ()))
        second = asyncio.ensure_future(supplier.supply(app(reference, "second"), ()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert run(scenario()).artifact
    assert manifests(plain, "desk/cancelled") == 1


def test_a_tag_is_looked_at_once_a_period(world: World, plain: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(plain)}/desk/period:v1"
    publish(plain, tmp_path, reference)
    supplier, given = world.supplier(), app(reference, pull={"refresh": "1h"})
    first = run(supplier.supply(given, ()))
    world.now += 3599
    early = run(supplier.supply(after(given, first), ()))
    assert (first.again, early.again, manifests(plain, "desk/period")) == (3600, 1, 1)
    world.now += 1
    due = run(supplier.supply(after(given, first), ()))
    assert (due.again, due.artifact, manifests(plain, "desk/period")) == (3600, first.artifact, 2)


def test_a_restart_spreads_the_looks_over_the_period(world: World, plain: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(plain)}/desk/spread:v1"
    publish(plain, tmp_path, reference)
    given = app(reference, pull={"refresh": "1h"})
    first = world.supply(given)
    world.now += 1e6
    waits = []
    for world.jitter in (0.0, 0.25, 0.75):
        waits.append(world.supply(after(given, first)).again)
    assert (waits, manifests(plain, "desk/spread")) == ([3600, 2700, 900], 1)


def test_a_pinned_digest_is_never_looked_at_again(world: World, plain: Registry, tmp_path: Path) -> None:
    digest = publish(plain, tmp_path, f"{world.knows(plain)}/desk/fixed:v1")
    given = app(f"{plain.host}/desk/fixed@{digest}", pull={"refresh": "1h"})
    supplied = world.supply(given)
    assert (supplied.again, verdicts(supplied)[0]) == (None, ("True", "Resolved"))
