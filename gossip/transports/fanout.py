"""
One frame to many connections, once a reactor turn.

What the network sends in a turn of the reactor is collected and written at its end: an event is encoded once for each
wire format, what goes to the same audience is joined once for all of it, and a connection is written to once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from twisted.internet import tcp
from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITransport
from twisted.logger import Logger

from gossip.network.events import ServerEvent
from gossip.network.session import Session
from gossip.transports.interfaces import IConnection, IWireFormat


class Fanout:
    """
    Collects what leaves in a turn of the reactor, and writes it.

    @ivar deliveries: how many events were sent, counted for each session.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, connections: Mapping[Session, IConnection]) -> None:
        """
        @param connections: the connection of each session; a session without one is passed over.
        """
        self._clock = clock
        self._connections = connections
        self._turn: list[tuple[tuple[Session, ...], list[ServerEvent]]] = []
        self._closing: list[tuple[Session, int, str]] = []
        self._end_of_turn: IDelayedCall | None = None
        self.deliveries = 0

    def send(self, sessions: tuple[Session, ...], event: ServerEvent) -> None:
        """Send an event to sessions, after everything that was sent to them before."""
        if self._turn and self._turn[-1][0] is sessions:
            self._turn[-1][1].append(event)
        else:
            self._turn.append((sessions, [event]))
        self.deliveries += len(sessions)
        self._schedule()

    def close(self, session: Session, code: int, why: str) -> None:
        """End a session's connection, after everything that was sent to it before."""
        self._closing.append((session, code, why))
        self._schedule()

    def _schedule(self) -> None:
        if self._end_of_turn is None:
            # It runs before the reactor looks at its sockets again.
            self._end_of_turn = self._clock.callLater(0, self._flush)

    def flush(self) -> None:
        """Write now what would be written at the end of the turn."""
        if self._end_of_turn is not None:
            self._end_of_turn.cancel()
            self._flush()

    def _flush(self) -> None:
        self._end_of_turn = None
        turn, self._turn = self._turn, []
        closing, self._closing = self._closing, []
        if len(turn) == 1:
            for connection, data in self._addressed(*turn[0]):
                self._attempt(connection.write, data)
        else:
            # What each connection gets is put together first, so that it is written to once.
            pieces: dict[IConnection, list[bytes]] = {}
            for sessions, events in turn:
                for connection, data in self._addressed(sessions, events):
                    pieces.setdefault(connection, []).append(data)
            for connection, parts in pieces.items():
                self._attempt(connection.write, parts[0] if len(parts) == 1 else b"".join(parts))
        for session, code, why in closing:
            if session in self._connections:
                self._attempt(self._connections[session].close, code, why)

    def _addressed(
        self, sessions: tuple[Session, ...], events: list[ServerEvent]
    ) -> Iterator[tuple[IConnection, bytes]]:
        """Each connection of an audience, and what goes over it."""
        written: dict[IWireFormat, bytes] = {}
        find = self._connections.get
        for session in sessions:
            connection = find(session)
            if connection is None:
                continue
            wire_format = connection.wire_format
            data = written.get(wire_format)
            if data is None:
                data = written[wire_format] = self._encode(wire_format, events)
            if data:
                yield connection, data

    def _encode(self, wire_format: IWireFormat, events: list[ServerEvent]) -> bytes:
        try:
            return b"".join(map(wire_format.encode, events))
        except Exception:
            self._log.failure("cannot write {events} as {wire_format}", events=len(events), wire_format=wire_format)
            return b""

    def _attempt(self, act: Callable[..., None], *args: object) -> None:
        """A mistake on one connection must not keep the others from theirs."""
        try:
            act(*args)
        except Exception:
            self._log.failure("cannot write to a connection")


def write(transport: ITransport, data: bytes, backlog: int) -> bool:
    """
    Write to a transport at the least cost: the one gate for all that is sent over a connection.

    C{transport.write} costs two system calls of the reactor's poller a frame. On plain TCP with nothing waiting the
    socket is tried first, and only what it did not take goes that way. Under TLS the socket is never touched.

    @param backlog: how many bytes may wait for the reader; 0 for any number.
    @return: whether the reader keeps up; if not, the connection is to be cut off.
    """
    # Exactly this class: a subclass, a Unix socket say, may send in another way.
    if type(transport) is tcp.Server and not transport.TLS and _waiting(transport) == 0:
        if transport.disconnecting or not transport.connected:
            return True
        try:
            sent = transport.socket.send(data)
        except OSError:  # full, or broken: that is for Twisted to find out
            sent = 0
        if sent == len(data):
            return True
        data = data[sent:]
    transport.write(data)
    return not backlog or _waiting(transport) <= backlog


def _waiting(transport: ITransport) -> int:
    """How many bytes the reader has not taken yet, without those that the operating system holds."""
    tcp_transport = getattr(transport, "transport", transport)
    if not isinstance(tcp_transport, tcp.Connection):
        return 0
    return len(tcp_transport.dataBuffer) - tcp_transport.offset + tcp_transport._tempDataLen
