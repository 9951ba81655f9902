"""Certificates for servers on loopback, made anew for each test run: no key is ever kept."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

LOOPBACK = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")),
)


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate, which is its own CA. pem is public; the key lies in key_file beside cert_file."""

    pem: str
    cert_file: Path
    key_file: Path
    key: ec.EllipticCurvePrivateKey
    der: bytes


def self_signed(folder: Path, name: str = "loopback", *hosts: str) -> Certificate:
    """For localhost, 127.0.0.1, ::1 and these hosts, valid for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(key, name, (*LOOPBACK, *map(x509.DNSName, hosts)))
    pem = certificate.public_bytes(Encoding.PEM)
    cert_file, key_file = folder / f"{name}.crt", folder / f"{name}.key"
    cert_file.write_bytes(pem)
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return Certificate(pem.decode(), cert_file, key_file, key, certificate.public_bytes(Encoding.DER))


def server_context(certificate: Certificate) -> ssl.SSLContext:
    """TLS of a server with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert_file, certificate.key_file)
    return context


def _certificate(
    key: ec.EllipticCurvePrivateKey, name: str, alternatives: Sequence[x509.GeneralName]
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(hours=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(key, hashes.SHA256())
