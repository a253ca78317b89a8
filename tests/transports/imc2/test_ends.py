"""
How connections of the IMC2 port end, at real sockets: by an RST until the login is answered, by a FIN after it.

A client reads for ever after a FIN that it does not expect, and its whole MUD hangs. The service's time stands still.
"""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from gossip.config.config import Config
from gossip.registry.changes import RestrictionSet
from gossip.registry.entities import Restriction
from gossip.transports.imc2.connection import REFUSED_SECONDS
from gossip.transports.imc2.limits import Imc2Settings
from gossip.transports.imc2.transport import Imc2Transport
from tests.support.imc2_client import lines_of
from tests.support.imc2_games import imc2_key, imc2_port
from tests.support.memory_service import MemoryService

RST, FIN = "RST", "FIN"


class EndTests(TestCase):
    """A client that is a plain socket."""

    timeout = 20

    def setUp(self) -> None:
        self.transport = Imc2Transport()
        self.service = MemoryService(transports=[self.transport])
        self.world = self.service.world
        self.factory = imc2_port(self.transport, self.service, Config(imc2=Imc2Settings(listen=("tcp:4113",))))
        any_reactor: Any = reactor
        self.reactor = any_reactor
        self.port = self.reactor.listenTCP(0, self.factory, interface="127.0.0.1")
        self.addCleanup(self.close)

    async def close(self) -> None:
        """Close the port, and whatever is connected."""
        for connection in list(self.transport.connections):
            connection.transport.abortConnection()
        await self.until(lambda: not self.transport.connections)
        await maybeDeferred(self.port.stopListening)

    def turn(self) -> Deferred[None]:
        """One turn of the reactor, and what the service does at its end."""
        self.service.clock.advance(0)
        return deferLater(self.reactor, 0, lambda: None)

    async def until(self, done: Callable[[], bool]) -> None:
        """Turn until something is so."""
        while not done():
            await self.turn()

    async def client(self, line: str = "") -> socket.socket:
        """A client connects, and sends a line."""
        client = socket.create_connection(("127.0.0.1", self.port.getHost().port))
        self.addCleanup(client.close)
        client.setblocking(False)
        if line:
            client.sendall(f"{line}\n\r".encode())
        for _ in range(20):
            await self.turn()
        return client

    async def heard(self, client: socket.socket) -> list[str]:
        """The lines that a client hears."""
        await self.until(lambda: self.is_readable(client))
        return lines_of(client.recv(65536))

    def is_readable(self, client: socket.socket) -> bool:
        """Whether there is anything: bytes, or an end."""
        return bool(select.select([client], [], [], 0)[0])

    async def end(self, client: socket.socket) -> str:
        """How a connection ends, by what the system noted at the socket."""
        await self.until(lambda: self.is_readable(client))
        error = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self.assertEqual(error, errno.ECONNRESET)
            return RST
        self.assertEqual(client.recv(65536), b"")
        return FIN

    async def open(self, client: socket.socket) -> None:
        """A connection is still open, and silent."""
        for _ in range(20):
            await self.turn()
        self.assertFalse(self.is_readable(client))

    async def login(self, name: str) -> socket.socket:
        """A MUD logs in."""
        client = await self.client(f"PW {name} {imc2_key(self.world, name)} version=2 autosetup x")
        self.assertEqual(await self.heard(client), ["PW Gossip x version=2 GossipNet"])
        return client

    async def test_silence(self) -> None:
        """A client that says nothing hears nothing for 30 seconds, and gets an RST (rules 1 and 3)."""
        client = await self.client()
        self.service.clock.advance(29)
        await self.open(client)
        self.service.clock.advance(1)
        self.assertEqual(await self.end(client), RST)

    async def test_refused(self) -> None:
        """A refused login is answered; the connection is open 5 seconds later, and ends by an RST at 15 (rule 2)."""
        imc2_key(self.world, "Alpha")
        banned = self.world.client_id("Beta")
        ban = Restriction(kind="ban", subject=banned, reason="spam", set_by="Root", set_at=0.0)
        self.world.registry.enact(RestrictionSet(ban))
        for line, notice in (
            ("PW Alpha wrong version=2", "wrong key for Alpha"),
            ("SHA256-AUTH-REQ Alpha", "SHA-256 is not used here"),
            (f"PW Beta {imc2_key(self.world, 'Beta')} version=2", "wrong key for Beta"),
        ):
            client = await self.client(line)
            (answer,) = await self.heard(client)
            self.assertRegex(answer, f'^NOTICE Gossip "{notice}.*" x x$')
            self.service.clock.advance(5)
            await self.open(client)
            self.service.clock.advance(REFUSED_SECONDS - 5.1)
            await self.open(client)
            self.service.clock.advance(0.1)
            self.assertEqual(await self.end(client), RST)

    async def test_draining(self) -> None:
        """A node that takes no new games answers no login: an RST lets the client try again (rule 1)."""
        stays, waiting = await self.login("Alpha"), await self.client()
        self.service.drain()
        await self.open(waiting)
        waiting.sendall(f"PW Beta {imc2_key(self.world, 'Beta')} version=2\n\r".encode())
        self.assertEqual(await self.end(waiting), RST)
        late = await self.client(f"PW Beta {imc2_key(self.world, 'Beta')} version=2")
        self.assertEqual(await self.end(late), RST)
        await self.open(stays)
        self.service.drain(False)
        await self.login("Beta")

    async def test_junk(self) -> None:
        """What is no login, or too long for one, gets an RST and no answer (rule 1)."""
        for line in ("GET / HTTP/1.1", "\x16\x03\x01", "PW a", "x" * 2_000):
            self.assertEqual(await self.end(await self.client(line)), RST, line[:20])

    async def test_full(self) -> None:
        """The 21st connection of an address gets an RST: without a protocol, Twisted would send a FIN (rule 1)."""
        self.transport.admission.waiting_per_address = 0
        held = [await self.client() for _ in range(20)]
        self.assertEqual(await self.end(await self.client()), RST)
        for client in held:
            self.assertFalse(self.is_readable(client))

    async def test_after_login(self) -> None:
        """After its login, a client gets a FIN: when it logs in again, and when a line has no end."""
        first = await self.login("Alpha")
        second = await self.login("Alpha")
        self.assertEqual(await self.end(first), FIN)
        second.sendall(b"x" * 17_000)
        self.assertEqual(await self.end(second), FIN)

    async def test_stop(self) -> None:
        """When the daemon stops, those that are logged in get a FIN, and the others an RST."""
        joined, waiting, refused = await self.login("Alpha"), await self.client(), await self.client("PW A b c")
        await self.heard(refused)
        await self.port.stopListening()
        self.assertEqual([await self.end(client) for client in (joined, waiting, refused)], [FIN, RST, RST])
