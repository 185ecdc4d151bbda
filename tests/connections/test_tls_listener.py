"""Connections that say nothing while a TLS handshake is due."""

import asyncio
import socket
import ssl

from openivr.connections.shares import Shares
from openivr.connections.tls_listener import HANDSHAKE_SECONDS, TlsListener


def test_f10_a_source_loses_its_oldest_handshake_at_once() -> None:
    async def scenario() -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        shares = Shares(10, 2)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        address = listening.getsockname()
        listener = TlsListener(listening, context, lambda handshake: asyncio.Protocol(), shares)
        crowd = [await asyncio.open_connection(*address) for _ in range(3)]
        async with asyncio.timeout(HANDSHAKE_SECONDS - 1):
            assert await crowd[0][0].read() == b""
        assert len(shares) == 2
        listener.close()
        await listener.wait_closed()
        assert len(shares) == 0
        for stream, writer in crowd:
            assert await stream.read() == b""
            writer.close()

    asyncio.run(scenario())
