"""The lies of the hostile registry, by case and kind of request (`any`, `manifests`, `blobs`, `referrers`)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.hostile_handler import CONFIG, GOOD, MANIFEST_FIELDS, WASM, Handler
from wherry.oci.digest import digest_of
from wherry.oci.manifest import INDEX, MANIFEST

LONG_AGO = "sha256:" + "0" * 64
CROWD = 8
"""Clients that `blob-crowd` waits for."""
_BOMB = gzip.compress(bytes(8 << 20), mtime=0)
TOKENS = {
    "html": b"<html>",
    "list": b"[]",
    "none": b"{}",
    "big": b'{"token":"' + b"x" * (1 << 20) + b'"}',
    "split": b'{"token":"a\\r\\nX-Evil: 1"}',
}

Answer = Callable[[Handler, str, str], None]


def _honest(handler: Handler, kind: str, reference: str) -> None:
    if kind == "manifests":
        return handler.reply(200, GOOD.manifest.data, {"Content-Type": MANIFEST})
    body = CONFIG if reference == digest_of(CONFIG) else WASM
    return handler.reply(200, body)


def _status(code: int, headers: Mapping[str, str] | None = None) -> Answer:
    body = b'{"errors":[{"code":"UNKNOWN","message":"boom \\u001b[31m"}]}'
    return lambda handler, *_: handler.reply(code, body, headers)


def _document(data: bytes, media_type: str = MANIFEST, headers: Mapping[str, str] | None = None) -> Answer:
    return lambda handler, *_: handler.reply(200, data, {"Content-Type": media_type} | dict(headers or {}))


def _manifest(**changes: Any) -> Answer:
    fields = {name: value for name, value in (MANIFEST_FIELDS | changes).items() if value is not None}
    return _document(json.dumps(fields).encode())


def _layer(**changes: Any) -> Answer:
    return _manifest(layers=[MANIFEST_FIELDS["layers"][0] | changes])


def _wasm(answer: Callable[[Handler], None]) -> Answer:
    """The Wasm blob answered by the case, everything else honestly."""
    return lambda handler, kind, reference: (
        _honest(handler, kind, reference) if reference == digest_of(CONFIG) else answer(handler)
    )


def _cut_body(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(WASM)))
    handler.end_headers()
    handler.wfile.write(WASM[:50])
    handler.cut()


def _cut_chunks(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"32\r\n" + WASM[:50] + b"\r\n")
    handler.cut()


def _cut_close(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(WASM[:50])
    handler.cut()


def _chunked(handler: Handler) -> None:
    """Honest, in chunks, one of them a byte long."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for piece in (WASM[:1], WASM[1:50], WASM[50:], b""):
        handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        handler.wfile.flush()


def _endless_chunks(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    while not handler.hostile.over.is_set():
        handler.wfile.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")


def _drip_body(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(WASM)))
    handler.end_headers()
    handler.drip(b"x")


def _drip_head(handler: Handler, *_: str) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    handler.drip(b"x")


def _endless_head(handler: Handler, *_: str) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not handler.hostile.over.is_set():
        handler.wfile.write(b"X-More: " + b"x" * 1000 + b"\r\n")


def _silent(handler: Handler, *_: str) -> None:
    handler.hostile.over.wait()
    handler.cut()


def _gone(handler: Handler, *_: str) -> None:
    handler.cut()


def _garbage(handler: Handler, *_: str) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    handler.cut()


def _stall(handler: Handler) -> None:
    """Half a body, and then nothing."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(WASM)))
    handler.end_headers()
    handler.wfile.write(WASM[:50])
    handler.wfile.flush()
    handler.hostile.stalled.set()
    _silent(handler)


def _after_a_crowd(handler: Handler) -> None:
    """The blob, once CROWD clients have come for its manifest."""
    path = handler.path.partition("/blobs/")[0] + "/manifests/"
    while sum(seen.path.startswith(path) for seen in handler.hostile.seen) < CROWD:
        if handler.hostile.over.wait(0.01):
            return
    handler.reply(200, WASM)


def _upload(location: str, finished: Mapping[str, str] | None = None, code: int = 201) -> Answer:
    """Nothing is there; uploads go to location; what is put is answered with code and finished."""

    def answer(handler: Handler, kind: str, reference: str) -> None:
        if handler.command == "POST":
            return handler.reply(202, b"", {"Location": location.format(**handler.hostile.places)})
        if handler.command == "PUT":
            return handler.reply(code, b"", finished if kind == "manifests" else None)
        return handler.reply(404)

    return answer


def _redirect(target: str) -> Callable[[Handler], None]:
    """target may name `{host}` and `{other}`."""

    def answer(handler: Handler) -> None:
        handler.reply(307, b"", {"Location": target.format(**handler.hostile.places, path=handler.path)})

    return answer


def _to_storage(handler: Handler, kind: str, reference: str) -> None:
    """Asks for a password, and sends whoever has one to the other server for the Wasm."""
    if not handler.headers.get("Authorization"):
        return handler.reply(401, b"{}", _BASIC)
    if reference == digest_of(WASM):
        return _redirect("https://{other}/storage/x?signature=secret")(handler)
    return _honest(handler, kind, reference)


def _challenge(realm: str) -> Answer:
    def answer(handler: Handler, kind: str, reference: str) -> None:
        if handler.headers.get("Authorization", "").startswith("Bearer"):
            return _honest(handler, kind, reference)
        where = realm.format(**handler.hostile.places)
        return handler.reply(401, b"{}", {"WWW-Authenticate": f'Bearer realm="{where}",service="s",scope="r"'})

    return answer


def _nested(handler: Handler, _: str, reference: str) -> None:
    handler.reply(200, _INNER if reference == digest_of(_INNER) else _OUTER, {"Content-Type": INDEX})


_LAYER = MANIFEST_FIELDS["layers"][0]
_POINTER = {"mediaType": MANIFEST, "digest": GOOD.manifest.digest, "size": len(GOOD.manifest.data)}
_INDEX = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [_POINTER]}
_INNER = json.dumps(_INDEX).encode()
_OUTER = json.dumps(_INDEX | {"manifests": [_POINTER | {"digest": digest_of(_INNER), "size": len(_INNER)}]}).encode()
_BASIC = {"WWW-Authenticate": 'Basic realm="Registry Realm"'}

ANSWERS: dict[tuple[str, str], Answer] = {
    ("e400", "any"): _status(400),
    ("e401", "any"): _status(401),
    ("e401-basic", "any"): _status(401, _BASIC),
    ("e401-digest", "any"): _status(401, {"WWW-Authenticate": 'Digest realm="x"'}),
    ("e403", "any"): _status(403),
    ("e404", "any"): _status(404),
    ("e418", "any"): _status(418),
    ("e429", "any"): _status(429, {"Retry-After": "3600"}),
    ("e500", "any"): _status(500),
    ("e502", "any"): _status(502),
    ("e503", "any"): _status(503, {"Retry-After": "0"}),
    ("silent", "any"): _silent,
    ("gone", "any"): _gone,
    ("garbage", "any"): _garbage,
    ("drip-head", "any"): _drip_head,
    ("endless-head", "any"): _endless_head,
    ("manifest-redirect", "manifests"): lambda handler, *_: _redirect("http://{other}/v2/x")(handler),
    ("manifest-drip", "manifests"): lambda handler, *_: _drip_body(handler),
    ("manifest-html", "manifests"): _document(b"<html>a captive portal</html>", "text/html"),
    ("manifest-html-typed", "manifests"): _document(b"<html>a captive portal</html>"),
    ("manifest-list", "manifests"): _document(b"[]"),
    ("manifest-deep", "manifests"): _document(b"[" * 200_000 + b"]" * 200_000),
    ("manifest-latin", "manifests"): _document(b'{"schemaVersion":2,"a":"\xff"}'),
    ("manifest-twice", "manifests"): _document(b'{"schemaVersion":2,"config":{},"config":{}}'),
    ("manifest-nan", "manifests"): _document(b'{"schemaVersion":NaN}'),
    ("manifest-big", "manifests"): _document(b" " * (5 << 20)),
    ("manifest-gzip", "manifests"): _document(gzip.compress(GOOD.manifest.data), headers={"Content-Encoding": "gzip"}),
    ("manifest-schema1", "manifests"): _document(
        b'{"schemaVersion":1,"fsLayers":[]}', "application/vnd.docker.distribution.manifest.v1+prettyjws"
    ),
    ("manifest-other-type", "manifests"): _document(GOOD.manifest.data, INDEX),
    ("manifest-both", "manifests"): _manifest(manifests=[_POINTER]),
    ("manifest-lies", "manifests"): _document(GOOD.manifest.data, headers={"Docker-Content-Digest": LONG_AGO}),
    ("manifest-annotations", "manifests"): _manifest(annotations={"a": "x" * (65 << 10)}),
    ("manifest-annotation-type", "manifests"): _manifest(annotations={"a": 1}),
    ("manifest-layers-type", "manifests"): _manifest(layers={"0": _LAYER}),
    ("manifest-layers-many", "manifests"): _manifest(layers=[_LAYER] * 600),
    ("manifest-layers-two", "manifests"): _manifest(layers=[_LAYER] * 2),
    ("manifest-no-config", "manifests"): _manifest(config=None),
    ("index-nested", "manifests"): _nested,
    ("index-empty", "manifests"): _document(json.dumps(_INDEX | {"manifests": []}).encode(), INDEX),
    ("index-long", "manifests"): _document(json.dumps(_INDEX | {"manifests": [_POINTER] * 65}).encode(), INDEX),
    ("digest-evil", "manifests"): _layer(digest="sha256:../../../../v2/t/other/blobs/x"),
    ("digest-other", "manifests"): _layer(digest="md5:d41d8cd98f00b204e9800998ecf8427e"),
    ("digest-upper", "manifests"): _layer(digest=_LAYER["digest"].upper()),
    ("size-negative", "manifests"): _layer(size=-1),
    ("size-bool", "manifests"): _layer(size=True),
    ("size-float", "manifests"): _layer(size=1.0),
    ("size-huge", "manifests"): _layer(size=1 << 50),
    ("size-less", "manifests"): _layer(size=len(WASM) - 1),
    ("size-more", "manifests"): _layer(size=len(WASM) + 1),
    ("config-huge", "manifests"): _manifest(config=MANIFEST_FIELDS["config"] | {"size": 2 << 20}),
    ("blob-404", "blobs"): _wasm(lambda handler: handler.reply(404)),
    ("blob-500", "blobs"): _wasm(lambda handler: handler.reply(500)),
    ("blob-tampered", "blobs"): _wasm(lambda handler: handler.reply(200, b"X" * len(WASM))),
    ("blob-short", "blobs"): _wasm(lambda handler: handler.reply(200, WASM[:50])),
    ("blob-long", "blobs"): _wasm(lambda handler: handler.reply(200, WASM + b"A" * 1_000_000)),
    ("blob-gzip", "blobs"): _wasm(lambda h: h.reply(200, _BOMB, {"Content-Encoding": "gzip"})),
    ("blob-cut", "blobs"): _wasm(_cut_body),
    ("blob-cut-chunks", "blobs"): _wasm(_cut_chunks),
    ("blob-cut-close", "blobs"): _wasm(_cut_close),
    ("blob-endless", "blobs"): _wasm(_endless_chunks),
    ("blob-chunked", "blobs"): _wasm(_chunked),
    ("blob-stall", "blobs"): _wasm(_stall),
    ("blob-crowd", "blobs"): _wasm(_after_a_crowd),
    ("blob-drip", "blobs"): _wasm(_drip_body),
    ("config-tampered", "blobs"): lambda handler, *_: handler.reply(200, b"X" * len(CONFIG)),
    ("redirect-plain", "blobs"): _wasm(_redirect("http://{other}/v2/t/ok/blobs/x")),
    ("redirect-neighbour", "blobs"): _wasm(_redirect("http://{neighbour}/storage/x")),
    ("redirect-storage", "any"): _to_storage,
    ("redirect-file", "blobs"): _wasm(_redirect("file:///etc/passwd")),
    ("redirect-user", "blobs"): _wasm(_redirect("https://u:p@{other}/x")),
    ("redirect-loop", "blobs"): _wasm(_redirect("http://{host}{path}")),
    ("redirect-private", "blobs"): _wasm(_redirect("https://10.0.0.1/x")),
    ("redirect-metadata", "blobs"): _wasm(_redirect("https://169.254.169.254/latest/meta-data")),
    ("redirect-loopback", "blobs"): _wasm(_redirect("https://{other}/x")),
    ("redirect-nowhere", "blobs"): _wasm(_redirect("https://[/x")),
    ("upload-elsewhere", "any"): _upload("http://{neighbour}/v2/t/x/blobs/uploads/1"),
    ("upload-nowhere", "any"): _upload(""),
    ("upload-refused", "any"): _upload("/v2/t/upload-refused/blobs/1", code=413),
    ("upload-changed", "any"): _upload("/v2/t/upload-changed/blobs/1?a=b", {"Docker-Content-Digest": LONG_AGO}),
    ("upload-ok", "any"): _upload("/v2/t/upload-ok/blobs/1?a=b"),
    ("referrers", "referrers"): _document(json.dumps(_INDEX).encode(), INDEX),
    ("referrers-manifest", "referrers"): _document(GOOD.manifest.data, INDEX),
    ("referrers-html", "referrers"): _document(b"<html>", "text/html"),
    ("token-html", "any"): _challenge("http://{host}/token/html"),
    ("token-list", "any"): _challenge("http://{host}/token/list"),
    ("token-big", "any"): _challenge("http://{host}/token/big"),
    ("token-split", "any"): _challenge("http://{host}/token/split"),
    ("token-401", "any"): _challenge("http://{host}/token/401"),
    ("token-429", "any"): _challenge("http://{host}/token/429"),
    ("token-none", "any"): _challenge("http://{host}/token/none"),
    ("realm-other", "any"): _challenge("http://{other}/token"),
    ("realm-other-https", "any"): _challenge("https://evil.example.com/token"),
    ("realm-neighbour", "any"): _challenge("http://{neighbour}/token"),
    ("realm-user", "any"): _challenge("http://u:p@{host}/token"),
    ("realm-file", "any"): _challenge("file:///etc/passwd"),
    ("realm-none", "any"): _status(401, {"WWW-Authenticate": "Bearer "}),
    ("realm-own", "any"): _challenge("http://{host}/token"),
}


def answer_to(handler: Handler) -> None:
    """What the request's case says: `/v2/t/<case>/<kind>/<reference>`, a token, or stored bytes."""
    parts = handler.path.split("/")
    if handler.path.startswith("/token"):
        name = handler.path.partition("?")[0].removeprefix("/token").strip("/")
        return handler.reply(int(name) if name.isdecimal() else 200, TOKENS.get(name, b'{"token":"stolen"}'))
    if handler.path.startswith("/storage"):
        return handler.reply(200, WASM)
    if len(parts) < 6:
        return handler.reply(200, b"{}")
    case, kind, reference = parts[3], parts[4], parts[5]
    return ANSWERS.get((case, kind), ANSWERS.get((case, "any"), _honest))(handler, kind, reference)
