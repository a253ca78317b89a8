"""
One port for games and browsers: C{/socket} goes to the websocket server, everything else to the web site.

The first line of a request decides. A game's connection is then handed over for good to Autobahn; a browser's is passed
on to a C{twisted.web} Site. A resource of the Site could do the same, but it would keep its request in memory while the
connection lasts, and lose a frame that arrives in one packet with the handshake.
"""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHalfCloseableProtocol,
    IProtocolFactory,
    IProtocolNegotiationFactory,
    IReactorTime,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure
from zope.interface import implementer

from gossip.protocol.http import split_target
from gossip.registry.addresses import read
from gossip.transports.admission import Admission, Room
from gossip.transports.budget import ITEM, NO_BUDGET, Budget
from gossip.transports.inlet import Inlet
from gossip.transports.turns import Turns

SOCKET_PATH: Final = b"/socket"

_IMC2: Final = (b"PW ", b"SHA256-AUTH-")
"""The first bytes of an IMC2 client. After a FIN it reads for ever and its MUD hangs; after an RST it goes on."""


PIECE_BYTES: Final = 2048
"""How much of what a browser sends is counted and passed on at once, in bytes."""

LINES_A_TURN: Final = 64
"""When a piece has more lines than this, other connections have their turn before the next."""

KEPT_BYTES: Final = 128 * 1024
"""How much is kept for a connection that rests, in bytes."""

_log = Logger()


@implementer(IHalfCloseableProtocol)
class RequestLineSniffer(Inlet, Protocol):
    """Reads the first line of a request, within a limit of bytes and time, and hands the connection over."""

    factory: Any

    def __init__(self, factory: RequestLineSnifferFactory, address: IAddress) -> None:
        self.factory = factory
        self._address = address
        self._peer = read(getattr(address, "host", None))
        self._in_room = self._admitted = False
        self._people: Any = None
        self._head = b""
        self._kept = b""
        self._half_closed = False
        self._deadline: IDelayedCall | None = None

    def connectionMade(self) -> None:
        assert self.transport is not None
        full = self.factory.room.full
        self.factory.room.enter()
        self._in_room = True
        if full and isinstance(self.transport, ProtocolWrapper):
            self._give_up()  # under TLS an answer would wait for the peer, and keep the file open
            return
        self._admitted = not full and self.factory.admission.admit(self._peer)
        if self.factory.seconds:
            self._deadline = self.factory.clock.callLater(self.factory.seconds, self._give_up)
        if not self._admitted:
            self._refuse(b"503 Service Unavailable")

    def _give_up(self) -> None:
        transport: Any = self.transport
        transport.abortConnection()

    def _refuse(self, status: bytes) -> None:
        assert self.transport is not None
        self.transport.write(b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" % status)
        self.transport.loseConnection()

    def dataReceived(self, data: bytes) -> None:
        if self._people is not None:
            self._kept += data
            if self._rest is None and self.has_turn(len(self._kept) > PIECE_BYTES):
                self.read_on()
            elif len(self._kept) > KEPT_BYTES:
                self.flooded()  # the site reads on while the connection rests
            return
        if not self._admitted:
            return
        self._head += data
        # Empty lines before a request are ignored (RFC 9112, section 2.2).
        head = self._head.lstrip(b"\r\n")
        line, end, _ = head.partition(b"\n")
        if head.startswith(_IMC2):
            self._give_up()
        elif end:
            self._hand_over(head, line)
        elif self.factory.most and len(self._head) > self.factory.most:
            self._refuse(b"414 URI Too Long")

    @property
    def budget(self) -> Budget:  # type: ignore[override]
        """What a browser can send."""
        budget: Budget = self.factory.budget
        return budget

    def read_on(self) -> None:
        while self._kept:
            piece, self._kept = self._kept[:PIECE_BYTES], self._kept[PIECE_BYTES:]
            lines = piece.count(b"\n")
            # A line is a header or a chunk of a body, and less work than a frame.
            if not self.charge(len(piece) + lines * ITEM // 4):
                self._kept = piece + self._kept
                return
            self._people.dataReceived(piece)
            if self._kept and not self.has_turn(large=True):
                return
            if lines > LINES_A_TURN and self._kept:
                self.rest(0)
                return
        if self._half_closed:
            self.readConnectionLost()

    def flooded(self) -> None:
        _log.info("cut off a flood: {peer}", peer=self._peer)
        self._give_up()

    def _hand_over(self, head: bytes, line: bytes) -> None:
        words = line.split()
        target = words[1] if len(words) > 1 else b""
        path, host = split_target(target)
        self._head = b""
        transport: Any = self.transport
        self._stop_waiting()
        if path.partition(b"?")[0] == SOCKET_PATH:
            if host is not None:
                head = head.replace(target, path, 1)
            protocol = self.factory.games.buildProtocol(self._address)
            # The games' factory goes on counting. There are many: nothing may stay between them and the transport.
            if self._admitted:
                self._admitted = False
                protocol.keep_place(self.factory.admission, self._peer)
            self._leave(waiting=True)
            if isinstance(transport, ProtocolWrapper):  # of TLS, or of the PROXY protocol
                transport.wrappedProtocol = protocol
            else:
                transport.protocol = protocol
        else:
            self._people = protocol = self.factory.people.buildProtocol(self._address)
            self.factory.admission.authenticated(self._peer)
        protocol.makeConnection(transport)
        if self._people is None:
            protocol.dataReceived(head)
        else:
            self.dataReceived(head)

    def readConnectionLost(self) -> None:
        if self._kept:
            self._half_closed = True
            return
        people = IHalfCloseableProtocol(self._people, None)
        if people is not None:
            people.readConnectionLost()
        else:
            assert self.transport is not None
            self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        pass

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._kept = b""
        self.shut_inlet()
        self._stop_waiting()
        self._leave(waiting=self._people is None)
        if self._people is not None:
            self._people.connectionLost(reason)

    def _leave(self, waiting: bool) -> None:
        if self._admitted:
            self._admitted = False
            self.factory.admission.left(self._peer, not waiting)
        if self._in_room:
            self._in_room = False
            self.factory.room.leave()

    def _stop_waiting(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None


@implementer(IProtocolNegotiationFactory)
class RequestLineSnifferFactory(Factory):
    """
    Accepts the connections of the port.

    @ivar games: the factory for requests for C{/socket}.
    @ivar people: the factory for all other requests.
    @ivar admission: counts the connections of browsers, and those whose first line or handshake has not arrived.
    @ivar room: counts the connections of all listeners.
    @ivar turns: shares the turns of the reactor among them.
    @ivar budget: what one connection of a browser can send.
    @ivar most: the maximum size of the first line, in bytes; 0 for no limit.
    @ivar seconds: how long the first line may take; 0 for no limit.
    """

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        games: IProtocolFactory,
        people: IProtocolFactory,
        admission: Admission,
        most: int,
        seconds: float,
        room: Room | None = None,
        turns: Turns | None = None,
    ) -> None:
        self.budget = NO_BUDGET
        self.clock = clock
        self.games = games
        self.people = people
        self.admission = admission
        self.room = room or Room()
        self.turns = turns or Turns(clock)
        self.most = most
        self.seconds = seconds

    def logPrefix(self) -> str:
        """What Twisted logs when it listens, before "starting on"."""
        return "The port for games and browsers"

    def acceptableProtocols(self) -> list[bytes]:
        # Neither the pages nor the websocket speak HTTP/2.
        return [b"http/1.1"]

    def doStart(self) -> None:
        super().doStart()
        self.games.doStart()
        self.people.doStart()

    def doStop(self) -> None:
        self.games.doStop()
        self.people.doStop()
        super().doStop()

    def buildProtocol(self, addr: IAddress | None) -> RequestLineSniffer | None:
        assert addr is not None
        return None if self.room.crowded else RequestLineSniffer(self, addr)
