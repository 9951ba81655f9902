"""RFC 3875: the environment that a CGI guest gets, and the head that it writes."""

from __future__ import annotations

import pytest

from tests.support.http_server import Server, read_all
from wherry.engine.http.cgi import environment, parse_head
from wherry.engine.http.head import Fields, RequestHead, checked
from wherry.engine.http.reply import BadResponse


def request(target: bytes = b"/", fields: Fields | None = None, version: str = "1.1") -> RequestHead:
    given = [(b"host", b"example.com:8080"), *(fields or [])]
    return checked(b"GET", target, version, given, keep_alive=True, max_body=None)


def variables(head: RequestHead, length: int | None = 0) -> dict[str, str]:
    shape, values = environment(head, (b"10.0.0.1", b"4711"), length)
    return {name.decode(): value.decode() for name, value in zip(shape.names, values.split(b"\0"), strict=True)}


def test_the_meta_variables_of_a_request() -> None:
    env = variables(request(b"/a%20b/c?x=1&y=%20"))
    assert env["REQUEST_METHOD"] == "GET"
    assert env["PATH_INFO"] == "/a b/c"
    assert env["QUERY_STRING"] == "x=1&y=%20"
    assert env["REQUEST_URI"] == "/a%20b/c?x=1&y=%20"
    assert env["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert env["SERVER_NAME"] == "example.com"
    assert (env["REMOTE_ADDR"], env["REMOTE_PORT"]) == ("10.0.0.1", "4711")
    assert env["HTTP_HOST"] == "example.com:8080"


@pytest.mark.parametrize(("host", "name"), [(b"[::1]:80", "[::1]"), (b"a", "a"), (b"a:1", "a")])
def test_the_server_name_is_the_host_without_its_port(host: bytes, name: str) -> None:
    head = checked(b"GET", b"/", "1.1", [(b"host", host)], keep_alive=True, max_body=None)
    assert variables(head)["SERVER_NAME"] == name


def test_a_proxy_field_never_becomes_HTTP_PROXY() -> None:  # noqa: N802 - it is the variable's name
    assert "HTTP_PROXY" not in variables(request(fields=[(b"proxy", b"http://evil")]))


def test_a_name_with_an_underscore_cannot_pass_for_another_field() -> None:
    env = variables(request(fields=[(b"x_forwarded_for", b"evil"), (b"x-forwarded-for", b"good")]))
    assert env["HTTP_X_FORWARDED_FOR"] == "good"


def test_repeated_fields_are_joined_and_cookies_as_cookies_are() -> None:
    env = variables(request(fields=[(b"x", b"1"), (b"x", b"2"), (b"cookie", b"a=1"), (b"cookie", b"b=2")]))
    assert (env["HTTP_X"], env["HTTP_COOKIE"]) == ("1, 2", "a=1; b=2")


def test_each_value_keeps_its_name_when_others_are_dropped_and_joined() -> None:
    fields = [
        (b"te", b"trailers"),
        (b"a", b"1"),
        (b"b", b"2"),
        (b"proxy", b"x"),
        (b"a", b"3"),
        (b"c", b"4"),
        (b"b", b"5"),
    ]
    env = variables(request(b"/\xe9?q", fields), 6)
    own = {name: env[name] for name in ("HTTP_HOST", "HTTP_A", "HTTP_B", "HTTP_C", "CONTENT_LENGTH")}
    assert list(own.values()) == ["example.com:8080", "1, 3", "2, 5", "4", "6"]
    assert (env["PATH_INFO"], env["QUERY_STRING"], env["REMOTE_PORT"], len(env)) == ("/é", "q", "4711", 8 + len(own))


def test_content_type_and_length_have_names_of_their_own() -> None:
    fields = [(b"content-type", b"text/plain"), (b"content-length", b"5")]
    env = variables(request(fields=fields), 5)
    assert (env["CONTENT_TYPE"], env["CONTENT_LENGTH"]) == ("text/plain", "5")
    assert not {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"} & env.keys()


def test_hop_by_hop_fields_stay_with_the_connection() -> None:
    env = variables(request(fields=[(b"connection", b"keep-alive"), (b"te", b"trailers")]))
    assert not {"HTTP_CONNECTION", "HTTP_TE"} & env.keys()


def test_a_value_that_is_no_utf_8_is_taken_for_latin_1() -> None:
    env = variables(request(fields=[(b"x-latin", b"\xe9"), (b"x-utf", "é".encode())]))
    assert (env["HTTP_X_LATIN"], env["HTTP_X_UTF"]) == ("é", "é")


def test_a_nul_in_the_path_does_not_reach_the_environment() -> None:
    assert variables(request(b"/a%00b"))["PATH_INFO"] == "/ab"


def test_the_environment_of_a_real_guest_has_the_plan_and_the_request_and_nothing_else(cgi: Server) -> None:
    lines = cgi.get("/env", "X-Mine: 1").body.decode().split("\n")[:-1]
    assert {line.partition("=")[0] for line in lines} == {
        "GATEWAY_INTERFACE", "SERVER_SOFTWARE", "SCRIPT_NAME", "REQUEST_METHOD", "REQUEST_URI", "PATH_INFO",
        "QUERY_STRING", "SERVER_PROTOCOL", "SERVER_NAME", "SERVER_PORT", "REMOTE_ADDR", "REMOTE_PORT", "HTTP_HOST",
        "HTTP_X_MINE", "HTTP_X_REQUEST_ID",
    }  # fmt: skip
    assert f"SERVER_PORT={cgi.port}" in lines


def test_latin_1_reaches_a_real_guest_as_utf_8(cgi: Server) -> None:
    assert "HTTP_X_NAME=é".encode() in cgi.get("/env", "X-Name: é").body


GOOD = {
    "line feeds": (b"Content-Type: text/plain\n\nbody", 200, b"body"),
    "carriage returns": (b"Content-Type: text/plain\r\n\r\nbody", 200, b"body"),
    "mixed ends": (b"Content-Type: text/plain\n\r\nbody", 200, b"body"),
    "a status": (b"Status: 404 Not Found\nContent-Type: a/b\n\n", 404, b""),
    "a status without a type": (b"Status: 204\n\n", 204, b""),
    "a status without a reason": (b"Status: 299\n\nx", 299, b"x"),
    "a location": (b"Location: /x\n\n", 302, b""),
    "a location with a status": (b"Location: /x\nStatus: 307 Temporary\n\n", 307, b""),
    "a status and then a location": (b"Status: 301\nLocation: /x\n\n", 301, b""),
    "a body with empty lines": (b"Content-Type: a/b\n\na\n\nb", 200, b"a\n\nb"),
}

BAD = {
    "no colon": b"Content-Type text/plain\n\n",
    "an http status line": b"HTTP/1.1 200 OK\nContent-Type: a/b\n\n",
    "none of the three fields": b"X-Other: 1\n\n",
    "a status out of range": b"Status: 99\n\n",
    "an interim status": b"Status: 101 Switching\n\n",
    "a status that is a word": b"Status: fine\n\n",
    "a name with a space": b"Content-Type: a/b\nX Y: 1\n\n",
    "an empty name": b"Content-Type: a/b\n: 1\n\n",
    "a NUL": b"Content-Type: a\0b\n\n",
    "a carriage return within": b"Content-Type: a\rX: b\n\n",
    "two lengths": b"Content-Type: a/b\nContent-Length: 1\nContent-Length: 2\n\n",
    "a signed length": b"Content-Type: a/b\nContent-Length: -1\n\n",
    "an endless head": b"Content-Type: a/b\nX: " + b"y" * 70_000,
}


@pytest.mark.parametrize(("output", "status", "body"), GOOD.values(), ids=GOOD.keys())
def test_a_head_is_read(output: bytes, status: int, body: bytes) -> None:
    parsed = parse_head(output)
    assert parsed is not None
    head, start = parsed
    assert (head.status, output[start:]) == (status, body)


@pytest.mark.parametrize("output", BAD.values(), ids=BAD.keys())
def test_what_is_no_head_is_refused(output: bytes) -> None:
    with pytest.raises(BadResponse):
        parse_head(output)


@pytest.mark.parametrize("output", [b"", b"Content-Type: a/b", b"Content-Type: a/b\n", b"\n"])
def test_a_head_that_is_not_whole_waits_for_more(output: bytes) -> None:
    assert parse_head(output) is None


def test_fields_of_the_connection_are_not_the_guests_to_set() -> None:
    parsed = parse_head(b"Content-Type: a/b\nConnection: close\nTransfer-Encoding: chunked\nKeep-Alive: 1\n\n")
    assert parsed is not None
    assert parsed[0].fields == [(b"content-type", b"a/b")]


def test_a_body_that_is_shorter_than_its_length_is_a_502_or_cut(cgi: Server) -> None:
    since = len(cgi.log)
    with cgi.connect() as client:
        client.sendall(b"GET /short HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 502 ") or answer.endswith(b"\r\n\r\nshort"), "no answer that looks whole"
    cgi.wait_for("bad response: .*Content-Length says", since)


def test_a_trap_after_the_head_cuts_the_connection(cgi: Server) -> None:
    since = len(cgi.log)
    with cgi.connect() as client:
        client.sendall(b"POST /late-trap HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        part = client.recv(65536)
        while b"begun" not in part:
            part += client.recv(65536)
        client.sendall(b"1\r\nx\r\n0\r\n\r\n")
        assert client.recv(65536) == b""
    cgi.wait_for("^trap/unreachable", since)
