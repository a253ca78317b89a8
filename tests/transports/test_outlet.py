"""L{gossip.transports.outlet}."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet import tcp
from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Protocol
from twisted.internet.testing import MemoryReactor, StringTransport
from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.addresses import read
from gossip.service.fanout import Routes
from gossip.transports.outlet import SEND_BUFFER, Outlet


class Pipe(Outlet, Protocol):
    """A protocol with an outlet."""

    peer_address = read("192.0.2.1")


class OutletTests(SynchronousTestCase):
    """The one gate to a transport, on real sockets."""

    def setUp(self) -> None:
        ours, self.theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(self.theirs.close)
        for end in (ours, self.theirs):
            end.setblocking(False)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        address = IPv4Address("TCP", "127.0.0.1", 1)
        reactor: Any = MemoryReactor()
        self.pipe = Pipe()
        self.transport = tcp.Server(ours, self.pipe, ("127.0.0.1", 1), _Port(address), 0, reactor)  # type: ignore[arg-type]
        self.pipe.makeConnection(self.transport)
        self.pipe.open_outlet(0)

    def read(self) -> bytes:
        read = b""
        while True:
            try:
                read += self.theirs.recv(1 << 20)
            except BlockingIOError:
                return read

    def drain(self) -> bytes:
        """Do the reactor's part of the work until nothing waits."""
        read = self.read()
        while self.transport.dataBuffer or self.transport._tempDataBuffer:
            self.transport.doWrite()
            read += self.read()
        return read

    def test_past_the_poller(self) -> None:
        """On plain TCP with nothing waiting, the bytes are sent at once."""
        self.pipe.send_bytes(b"hello")
        self.assertEqual(self.read(), b"hello")

    def test_short_write(self) -> None:
        """The rest of a short write waits, further writes wait behind it, and then the direct route is free again."""
        data = bytes(range(256)) * 4096
        self.pipe.send_bytes(data)
        self.pipe.send_bytes(b"the end")
        self.assertEqual(self.drain(), data + b"the end")
        self.pipe.send_bytes(b"again")
        self.assertEqual(self.read(), b"again")

    def test_slow_reader(self) -> None:
        """A reader is cut off when more than the backlog waits for it, and not before."""
        self.pipe.open_outlet(2_000_000)
        aborted: list[bool] = []
        self.patch(self.transport, "abortConnection", lambda: aborted.append(True))
        self.pipe.send_bytes(b"x" * 2_000_000)
        self.assertEqual(aborted, [])
        self.pipe.send_bytes(b"x" * 2_000_000)
        self.pipe.send_bytes(b"x")
        self.assertEqual(aborted, [True])

    def test_generation(self) -> None:
        """The generation changes when the direct route is found, and when it is lost."""
        generations = [Routes.generation]
        for data in (b"x", b"x" * (4 << 20)):
            self.pipe.send_bytes(data)
            generations.append(Routes.generation)
        self.assertEqual(len(set(generations)), 3)

    def test_send_buffer(self) -> None:
        """The system's buffer has the size that we set, or twice that, as Linux makes it."""
        size = self.transport.socket.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        self.assertIn(size, (SEND_BUFFER, 2 * SEND_BUFFER))

    def test_never_under_tls(self) -> None:
        """Under TLS there is no direct route."""
        self.transport.TLS = True
        self.assertIsNone(self.pipe._find_direct_route())

    def test_shut(self) -> None:
        """Nothing is written after the gate is shut."""
        self.pipe.send_bytes(b"last")
        self.pipe.shut()
        self.pipe.send_bytes(b"late")
        self.assertEqual(self.drain(), b"last")

    def test_broken(self) -> None:
        """A broken socket is left to the reactor."""
        self.transport.socket.shutdown(socket.SHUT_WR)
        self.pipe.send_bytes(b"x")
        self.assertEqual(self.transport._tempDataBuffer, [b"x"])

    def test_other_transports(self) -> None:
        """A transport that is not plain TCP is written to like any transport."""
        pipe, transport = Pipe(), StringTransport()
        pipe.makeConnection(transport)
        pipe.send_bytes(b"hello")
        self.assertEqual(transport.value(), b"hello")


class _Port:
    """The part of a port that a transport uses."""

    _realPortNumber = 1

    def __init__(self, address: IPv4Address) -> None:
        self.address = address
