"""A DNS server on loopback that serves the records of a test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.zone

ORIGIN = "provider.example."


class NameServer(asyncio.DatagramProtocol):
    """Serves one zone, or nothing while it is silent."""

    def __init__(self, records: str) -> None:
        self.zone = dns.zone.from_text(
            f"$TTL 60\n@ SOA ns host 1 1 1 1 1\n@ NS ns\n{records}", ORIGIN, relativize=False
        )
        self.is_silent = False
        self.asked: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        (question,) = query.question
        self.asked.append(f"{question.name.to_text(omit_final_dot=True)} {question.rdtype.name}")
        if self.is_silent:
            return
        response = dns.message.make_response(query, recursion_available=True)
        response.flags |= dns.flags.AA
        node = self.zone.get_node(question.name)
        if node is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif rrset := self.zone.get_rrset(question.name, question.rdtype):
            response.answer.append(rrset)
        self.transport.sendto(response.to_wire(), address)


@asynccontextmanager
async def name_server(records: str) -> AsyncIterator[tuple[NameServer, dns.asyncresolver.Resolver]]:
    """Run a server. Yields it with a resolver that asks it."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: NameServer(records), local_addr=("127.0.0.1", 0)
    )
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = transport.get_extra_info("sockname")[1]
    try:
        yield server, resolver
    finally:
        transport.close()
