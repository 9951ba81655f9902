"""A token server for the real registry: signed JWTs for passwords and refresh tokens (distribution's token spec)."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.support.certificates import Certificate, server_context

ISSUER = "test-issuer"
SERVICE = "test-registry"
USER, PASSWORD, REFRESH_TOKEN = "alice", "correct horse", "refresh-me"


@dataclass
class TokenServer:
    """realm: where tokens are given. asked: (method, Authorization or form) of every request."""

    realm: str
    asked: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def token_server(certificate: Certificate) -> Iterator[TokenServer]:
    """HTTPS on a free port of localhost. Anonymous requests may pull what lies under `public/`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.socket = server_context(certificate).wrap_socket(server.socket, server_side=True)
    found = TokenServer(f"https://localhost:{server.server_address[1]}/token")
    server.state, server.certificate = found, certificate  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        sent = self.headers.get("Authorization", "")
        self._state.asked.append(("GET", sent))
        if sent and sent != f"Basic {_basic(USER, PASSWORD)}":
            return self._reply(401, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong password"}]})
        return self._reply(200, {"token": self._token(query, known=bool(sent))})

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self._state.asked.append(("POST", form["refresh_token"][0]))
        if form["refresh_token"] != [REFRESH_TOKEN] or form["grant_type"] != ["refresh_token"]:
            return self._reply(401, {"error": "invalid_grant"})
        return self._reply(200, {"access_token": self._token(form, known=True)})

    @property
    def _state(self) -> TokenServer:
        return self.server.state  # type: ignore[attr-defined,no-any-return]

    def _token(self, query: dict[str, list[str]], *, known: bool) -> str:
        access: list[dict[str, object]] = []
        for scope in query.get("scope", []):
            kind, name, actions = scope.split(":")
            allowed = actions.split(",") if known else ["pull"] if name.startswith("public/") else []
            access.append({"type": kind, "name": name, "actions": allowed})
        return _jwt(self.server.certificate, access)  # type: ignore[attr-defined]

    def _reply(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def _jwt(certificate: Certificate, access: list[dict[str, object]]) -> str:
    now = int(time.time())
    header = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(certificate.der).decode()]}
    claims = {"iss": ISSUER, "sub": USER, "aud": SERVICE, "exp": now + 300, "nbf": now - 60, "iat": now, "jti": "1"}
    signed = f"{_segment(header)}.{_segment({**claims, 'access': access})}"
    r, s = decode_dss_signature(certificate.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{_url64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _segment(value: object) -> str:
    return _url64(json.dumps(value).encode())


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
