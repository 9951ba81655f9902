"""The ways in: the Service, and an Ingress or a Gateway before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from wherry.spec.collection import MARKS, Listing
from wherry.spec.names import HOSTNAME, LABEL, PORT, SUBDOMAIN
from wherry.spec.record import Record, field, record
from wherry.spec.rules import exactly_one
from wherry.spec.shape import Choice, Text

ServiceType = Literal["ClusterIP", "NodePort", "LoadBalancer"]
PathType = Literal["Prefix", "Exact", "ImplementationSpecific"]


@record()
class Service:
    port: int = field(PORT, "Port of the Service.", default=80)
    type: ServiceType = field(
        Choice(("ClusterIP", "NodePort", "LoadBalancer")), "Type of the Service.", default="ClusterIP"
    )


@record()
class IngressTLS:
    hosts: tuple[str, ...] = field(Listing(HOSTNAME, most=16, key="."), "Hosts of the certificate.", default=())
    secret_name: str | None = field(SUBDOMAIN, "Secret with the certificate and its key.", default=None)


@record()
class Ingress:
    class_name: str | None = field(SUBDOMAIN, "IngressClass; the cluster's default when absent.", default=None)
    hosts: tuple[str, ...] = field(Listing(HOSTNAME, most=16, key="."), "Hosts; every host when empty.", default=())
    path: str = field(
        Text("a path that starts with /", r"/[^\x00-\x20\x7f]*", most=1024), "Path that leads to the app.", default="/"
    )
    path_type: PathType = field(
        Choice(("Prefix", "Exact", "ImplementationSpecific")), "How the path is compared.", default="Prefix"
    )
    tls: tuple[IngressTLS, ...] = field(Listing(Record(IngressTLS), most=16), "Certificates.", default=())
    annotations: Mapping[str, str] = field(MARKS, "Annotations of the Ingress.", default={})


@record()
class ParentRef:
    name: str = field(SUBDOMAIN, "Name of the Gateway.")
    namespace: str | None = field(LABEL, "Its namespace; the WasmApp's when absent.", default=None)
    section_name: str | None = field(SUBDOMAIN, "One of its listeners.", default=None)
    port: int | None = field(PORT, "Port of the listener.", default=None)


@record()
class Gateway:
    parent_refs: tuple[ParentRef, ...] = field(
        Listing(Record(ParentRef), most=32, least=1), "Gateways that lead to the app."
    )
    hostnames: tuple[str, ...] = field(Listing(HOSTNAME, most=16, key="."), "Hosts; every host when empty.", default=())


@record(exactly_one("ingress", "gateway"))
class Expose:
    ingress: Ingress | None = field(Record(Ingress), "Through an Ingress.", default=None)
    gateway: Gateway | None = field(Record(Gateway), "Through a Gateway, by an HTTPRoute.", default=None)
