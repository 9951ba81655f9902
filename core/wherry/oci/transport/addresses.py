"""Which addresses a registry may have.

A name is resolved once, every address is judged, and the connection goes to an address that passed: a second answer
of a name server changes nothing. Link-local, metadata and multicast addresses are never a registry.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA = frozenset(map(ipaddress.ip_address, ("169.254.169.254", "100.100.100.200", "fd00:ec2::254")))
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_loopback_host(host: str) -> bool:
    """Whether a host as written means this machine: `localhost`, 127.0.0.0/8 or ::1."""
    bare = host.strip("[]").lower()
    if bare == "localhost":
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def objection(host: str, address: Address, *, trusted: str, allow_private: bool) -> str:
    """Why we do not connect to the address of host; "" when we do.

    trusted: the host that the user or the registries file wrote, which may be loopback when written as such.
    allow_private: the registries file allows private addresses for this registry, and for where it redirects to.
    """
    inner = _embedded(address)
    if inner in _METADATA or inner.is_link_local or inner.is_multicast or inner.is_unspecified:
        return "a link-local, metadata or multicast address"
    if inner.is_global or allow_private:
        return ""
    if inner.is_loopback:
        return "" if host == trusted and is_loopback_host(host) else "a loopback address"
    return "a private address"


def _embedded(address: Address) -> Address:
    """The IPv4 address inside an IPv6 form of it, because that is where the packets go."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


def addresses_of(answers: Sequence[tuple[object, ...]]) -> tuple[Address, ...]:
    """The addresses in socket.getaddrinfo's answer, in its order, without duplicates."""
    texts = (str(answer[4][0]).partition("%")[0] for answer in answers if isinstance(answer[4], tuple))
    return tuple(dict.fromkeys(map(ipaddress.ip_address, texts)))
