"""Locates SIP servers by DNS (RFC 3263): NAPTR records, then SRV, then A and AAAA.

dnspython, because the system's resolver answers only A and AAAA.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.resolver
import structlog

from openivr.sip.address import Target, is_numeric
from openivr.sip.transport.resolver import Resolver

log = structlog.get_logger(__name__)
SERVICES = {"SIP+D2U": "UDP", "SIP+D2T": "TCP", "SIPS+D2T": "TLS"}  # RFC 3263, section 4.1
SRV_NAMES = {"UDP": "_sip._udp", "TCP": "_sip._tcp", "TLS": "_sips._tcp"}  # in the order without NAPTR
QUERY_SECONDS = 5.0
LOCATE_SECONDS = 30.0  # for all queries of one name
MAX_RECORDS = 16  # of one type and name
MAX_TARGETS = 32


class ServerLocator:
    """Locates servers by the name servers of the system, unless `dns_resolver` is given."""

    def __init__(
        self,
        resolver: Resolver,
        dns_resolver: dns.asyncresolver.Resolver | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._resolver = resolver
        self._dns = dns_resolver
        self._draw = draw

    async def locate(self, name: str, port: int, protocol: str = "") -> tuple[Target, ...]:
        """Return the targets of a name in the order to try them. Without SRV records `port` is used.

        A given protocol is not asked for by NAPTR (RFC 3263, section 4.1), and its SRV records alone count.
        """
        if is_numeric(name):
            return (Target(protocol or "UDP", name, port),)
        try:
            async with asyncio.timeout(LOCATE_SECONDS):
                services = await self._find_services(name) if not protocol else [service_of(protocol, name)]
                targets = [
                    target
                    for service_protocol, service in services
                    for target in await self._find_targets(service_protocol, service, name)
                ]
                if not targets:
                    find = self._find_by_system if protocol else self.find_addresses
                    certificate = certificate_name(protocol, name)
                    targets = [
                        Target(protocol or "UDP", host, port, certificate) for host in await find(name)
                    ]
        except TimeoutError:
            log.warning("dns look-up timed out", name=name)
            return ()
        return tuple(dict.fromkeys(targets))[:MAX_TARGETS]

    async def _find_services(self, name: str) -> Sequence[tuple[str, str]]:
        """Return the protocols of a domain with their SRV names, the preferred first."""
        records = sorted(
            await self._query(name, "NAPTR"), key=lambda record: (record.order, record.preference)
        )
        services = [
            (SERVICES[record.service.decode().upper()], record.replacement.to_text())
            for record in records
            if record.flags.lower() == b"s" and record.service.decode(errors="replace").upper() in SERVICES
        ]
        return services or [service_of(protocol, name) for protocol in SRV_NAMES]

    async def _find_targets(self, protocol: str, service: str, name: str) -> list[Target]:
        return [
            Target(protocol, host, record.port, certificate_name(protocol, name))
            for record in order_by_weight(await self._query(service, "SRV"), self._draw)
            if record.target.to_text() != "." and record.port > 0  # ".": the service does not exist
            for host in await self.find_addresses(record.target.to_text(omit_final_dot=True))
        ]

    async def find_addresses(self, name: str) -> Sequence[str]:
        """Return the addresses of a host by DNS, or else by the system's resolver, which knows /etc/hosts."""
        answers = await asyncio.gather(self._query(name, "A"), self._query(name, "AAAA"))
        addresses = [record.address for records in answers for record in records]
        return addresses or await self._find_by_system(name)

    async def _find_by_system(self, name: str) -> Sequence[str]:
        found: asyncio.Future[tuple[str, ...]] = asyncio.get_running_loop().create_future()
        self._resolver.resolve(name, lambda hosts: None if found.done() else found.set_result(hosts))
        return await found

    async def _query(self, name: str, type_: str) -> list[Any]:
        """Return the records of a name; none if there are none or the query fails."""
        try:
            self._dns = self._dns or dns.asyncresolver.Resolver()
            answer = await self._dns.resolve(name, type_, lifetime=QUERY_SECONDS, raise_on_no_answer=False)
        except (dns.exception.DNSException, OSError, ValueError, EOFError) as error:
            log.debug("dns query", name=name, type=type_, error=str(error))
            return []
        return list(answer)[:MAX_RECORDS]


def service_of(protocol: str, name: str) -> tuple[str, str]:
    """Return a protocol and its SRV name in a domain."""
    return protocol, f"{SRV_NAMES[protocol]}.{name}"


def certificate_name(protocol: str, name: str) -> str:
    """Return the name that a certificate must have: the domain, not the SRV target (RFC 5922)."""
    return name if protocol == "TLS" else ""


def order_by_weight(records: Iterable[Any], draw: Callable[[], float]) -> list[Any]:
    """Order SRV records by priority, and those of one priority at random by weight (RFC 2782)."""
    ordered = []
    left = sorted(records, key=lambda record: (record.priority, record.weight))
    while left:
        group = [record for record in left if record.priority == left[0].priority]
        limit = draw() * sum(record.weight for record in group)
        total = 0
        for record in group:
            total += record.weight
            if total >= limit:
                break
        ordered.append(record)
        left.remove(record)
    return ordered
