"""`wherry run` of what speaks http: served, reloaded, ended, verified."""

from __future__ import annotations

import re
import shutil
import signal
import threading
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.cli.keys import key_pair
from tests.cli.process import Shell
from tests.cli.server import serving
from tests.support import guests
from tests.support.http_server import eventually
from tests.support.ports import free_port

HELLO = ROOT / "examples" / "01-hello" / "hello.wasm"
"""Greets with $GREETING, as CGI; in the tree, so that no toolchain is needed."""

DOCUMENT = """\
apiVersion: wherry.dev/v1alpha1
kind: WasmApp
metadata: {name: NAME}
spec:
  artifact: ./app.wasm
  run: http
  port: PORT
  env: [{name: GREETING, value: VALUE}]
"""


def document(name: str, value: str, port: int | None = None) -> str:
    return DOCUMENT.replace("PORT", str(port or free_port())).replace("VALUE", value).replace("NAME", name)


def write(path: Path, text: str) -> None:
    """All at once, as an editor does."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(path)


@pytest.fixture
def app(shell: Shell) -> Path:
    """A WasmApp in the shell's folder, and its module beside it."""
    shutil.copyfile(HELLO, shell.folder / "app.wasm")
    write(shell.folder / "app.yaml", document("app", "Before"))
    return shell.folder / "app.yaml"


def test_an_app_is_served_and_its_end_is_summed_up(shell: Shell, app: Path) -> None:
    with serving(shell, app) as server:
        assert server.get("/here") == (200, "Before from /here\n")
        assert server.end() == 0
        assert "1 request" in server.says("CPU-seconds")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_ends_a_server_that_has_nothing_left_to_do(shell: Shell, app: Path, number: int) -> None:
    with serving(shell, app) as server:
        assert server.end(number) == 0


def test_a_component_is_served_straight_from_its_file(shell: Shell) -> None:
    with serving(shell, guests.http("hello"), "--port", str(free_port())) as server:
        assert server.get()[0] == 200


def test_the_command_line_has_the_last_word(shell: Shell, app: Path) -> None:
    port = free_port()
    given = ["--port", str(port), "--set", "spec.env[0].value=Set", "--env", "GREETING=Given"]
    with serving(shell, app, *given[:4]) as server:
        assert server.url.endswith(f":{port}")
        assert server.get()[1].startswith("Set ")
    with serving(shell, app, *given) as server:
        assert server.get()[1].startswith("Given ")


def test_one_app_of_several_is_chosen_by_name(shell: Shell, app: Path) -> None:
    write(app, f"{document('first', 'One')}---\n{document('second', 'Two')}")
    with serving(shell, app, "--name", "second") as server:
        assert server.get()[1].startswith("Two ")


def test_metrics_are_served_where_asked(shell: Shell, app: Path) -> None:
    admin = f"127.0.0.1:{free_port()}"
    with serving(shell, app, "--admin", admin) as server:
        server.get()
        server.get()  # a worker counts what it has answered before it reads on
        server.url = f"http://{admin}"
        assert re.search(r'wherry_requests_total{class="2xx"} [12]\n', server.get("/metrics")[1])


def test_a_line_of_json_is_written_for_each_request_when_asked(shell: Shell, app: Path) -> None:
    with serving(shell, app, "--access-log") as server:
        server.get("/logged")
        assert '"target": "/logged"' in server.says('"status": 200')


def test_a_body_above_the_limit_of_the_command_line_is_refused(shell: Shell, app: Path) -> None:
    with serving(shell, app, "--max-body", "1Ki") as server:
        assert server.post("/", bytes(1024))[0] == 200
        assert server.post("/", bytes(1025))[0] == 413


def test_what_changes_is_served_and_no_request_is_lost(shell: Shell, app: Path) -> None:
    port = free_port()
    write(app, document("app", "Before", port))
    answers: set[tuple[int, str]] = set()
    stop = threading.Event()
    with serving(shell, app, "--watch") as server:

        def ask() -> None:
            while not stop.is_set():
                answers.add(server.get())

        asking = threading.Thread(target=ask)
        asking.start()
        write(app, document("app", "After", port))
        server.says("reloaded")
        server.get()
        stop.set()
        asking.join()
        assert server.get() == (200, "After from /\n")
    assert answers <= {(200, "Before from /\n"), (200, "After from /\n")}


def test_a_change_that_is_wrong_is_said_and_what_runs_goes_on(shell: Shell, app: Path) -> None:
    good = app.read_text()
    with serving(shell, app, "--watch") as server:
        write(app, good + "  limits: {memori: 1Mi}\n")
        assert "spec.limits.memori" in server.says("expected")
        assert server.get()[0] == 200
        write(app, good.replace("Before", "Mended"))
        server.says("reloaded")
        eventually(lambda: server.get()[1].startswith("Mended "))  # the old workers take what they were given before


def test_only_what_a_trusted_key_signed_is_run(shell: Shell) -> None:
    ours, our_half = key_pair(shell.folder, "ours")
    _, stranger = key_pair(shell.folder, "stranger")
    shell.wherry("push", HELLO, "oci:signed:v1")
    refused = shell.wherry("run", "oci:signed:v1", "--key", our_half)
    assert (refused.code, refused.out) == (125, "")
    shell.wherry("sign", "oci:signed:v1", "--key", ours)
    assert shell.wherry("run", "oci:signed:v1", "--key", stranger).code == 125
    with serving(
        shell, "oci:signed:v1", "--key", our_half, "--set", "spec.run=http", "--port", str(free_port())
    ) as server:
        assert server.get()[0] == 200
