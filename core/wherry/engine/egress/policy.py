"""Who may be called, and at which addresses. Pure.

A host written in full may be private (a Service), a wildcard may not: whoever owns a domain chooses what its names
resolve to. Loopback, link-local, metadata and other special addresses only where they are written as such.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal, TypeAlias

from wherry.engine.egress.failure import Failure
from wherry.errors import InvalidValue
from wherry.spec.origin import Origin, parse_origin

Address: TypeAlias = IPv4Address | IPv6Address
Reach = Literal["public", "private", "special"]

FIELD = "spec.capabilities.outboundHTTP"
LOCALHOST = "localhost"

_METADATA = {ip_address(text) for text in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254")}
"""Cloud metadata services that are not link-local."""
_PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")))
"""RFC 1918, RFC 6598 and RFC 4193: where clusters and their services live."""
_NAT64 = IPv6Network("64:ff9b::/96")


def asked_origin(text: str) -> Origin:
    """The origin that a request is for. Raises Failure."""
    try:
        origin = parse_origin(text)
    except InvalidValue as fault:
        raise Failure("HTTP-request-URI-invalid", f"{fault.got} is no origin") from None
    if origin.wildcard:
        raise Failure("HTTP-request-URI-invalid", f"{text} is no origin that can be called")
    return origin


def grant_for(asked: Origin, granted: Iterable[Origin]) -> Origin:
    """The grant that admits asked; one written in full before a wildcard. Raises Failure, which names the field."""
    admitting = [grant for grant in granted if grant.admits(asked.scheme, asked.host, asked.port)]
    if not admitting:
        raise Failure("HTTP-request-denied", f'add "{asked}" to {FIELD}', status=403, denied=True)
    return min(admitting, key=lambda grant: grant.wildcard)


def admitted(grant: Origin, addresses: Iterable[str]) -> tuple[str, ...]:
    """The addresses of a grant's host that may be connected to, in order. Raises Failure when there is none."""
    found = [ip_address(text) for text in addresses]
    good = tuple(str(address) for address in found if _admits(grant, address))
    if not good:
        raise Failure("destination-IP-prohibited", _prohibited(found), status=403, denied=True)
    return good


def reach_of(address: Address) -> Reach:
    """How far an address reaches; one that carries an IPv4 address reaches as far as that does."""
    address = _carried(address)
    if address in _METADATA:
        return "special"
    if any(address in network for network in _PRIVATE):
        return "private"
    return "public" if address.is_global and not address.is_multicast else "special"


def _admits(grant: Origin, address: Address) -> bool:
    reach = reach_of(address)
    if reach == "special":
        return _written(grant, address)
    return reach == "public" or not grant.wildcard


def _written(grant: Origin, address: Address) -> bool:
    if grant.host == LOCALHOST:
        return address.is_loopback
    return grant.host == (f"[{address}]" if address.version == 6 else str(address))


def _carried(address: Address) -> Address:
    """The IPv4 address inside a mapped, 6to4, NAT64 or compatible IPv6 address, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64 or 1 < int(address) < 1 << 32:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _prohibited(addresses: list[Address]) -> str:
    if not addresses:
        return "it has no address"
    address = addresses[0]
    if reach_of(address) == "private":
        return f"{address} is private, which a wildcard does not admit: write the host in full in {FIELD}"
    return f"{address} is loopback, link-local or special: write the address itself in {FIELD} if that is meant"
