"""
One frame to many connections, once a reactor turn.

What the network sends in a turn of the reactor is collected and written at its end: an event is encoded once for each
wire format, what goes to the same audience is joined once for all of it, and a connection is written to once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any, ClassVar, Final

from twisted.internet import tcp
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from gossip.network.session import Session
from gossip.protocol.events import ServerEvent
from gossip.service.interfaces import IConnection, IWireFormat

SEND_BUFFER: Final = 256 * 1024
"""How many bytes the system keeps for a reader, for its own part."""

_KNOWN_WAYS: Final = 256
"""For how many audiences it is remembered how to reach them."""


class _Ways:
    """How to reach the connections of an audience: straight ones by what they want written, and all others."""

    def __init__(self, sessions: tuple[Session, ...], connections: Mapping[Session, IConnection]) -> None:
        self.sessions = sessions
        self.straight: dict[IWireFormat, list[tuple[Callable[[bytes], int], IConnection]]] = {}
        self.others: list[IConnection] = []
        for session in sessions:
            connection = connections.get(session)
            if connection is None:
                continue
            straight = connection.straight
            if straight is None:
                self.others.append(connection)
            else:
                self.straight.setdefault(connection.wire_format, []).append((straight, connection))


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
        self._known_ways: dict[int, _Ways] = {}
        self._generation = Outlet.generation
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

    def lost(self) -> None:
        """A session's connection is gone: nothing of it is kept here."""
        self._known_ways.clear()

    def flush(self) -> None:
        """Write now what would be written at the end of the turn."""
        if self._end_of_turn is not None:
            self._end_of_turn.cancel()
            self._flush()

    def _flush(self) -> None:
        self._end_of_turn = None
        turn, self._turn = self._turn, []
        closing, self._closing = self._closing, []
        if sum(len(sessions) > 1 for sessions, _ in turn) <= 1:
            for sessions, events in turn:
                self._write_to_each(sessions, events)
        else:
            self._write_together(turn)
        for session, code, why in closing:
            connection = self._connections.get(session)
            if connection is not None:
                try:
                    connection.close(code, why)
                except Exception:
                    self._log.failure("cannot close a connection")

    def _write_to_each(self, sessions: tuple[Session, ...], events: list[ServerEvent]) -> None:
        """Write the same to a whole audience."""
        ways = self._ways(sessions)
        written: dict[IWireFormat, bytes] = {}
        for wire_format, straight_ways in ways.straight.items():
            data = written[wire_format] = self._encode(wire_format, events)
            size = len(data)
            for send, connection in straight_ways if data else ():  # each step in here is paid for each delivery
                try:
                    sent = send(data)
                except OSError:  # full, or broken: that is for Twisted to find out
                    sent = 0
                if sent != size:
                    self._attempt(connection.spill, data[sent:])
        for connection in ways.others:
            wire_format = connection.wire_format
            if wire_format not in written:
                written[wire_format] = self._encode(wire_format, events)
            if written[wire_format]:
                self._attempt(connection.write, written[wire_format])

    def _ways(self, sessions: tuple[Session, ...]) -> _Ways:
        """
        How to reach an audience.

        That of a channel is the same tuple until somebody joins or leaves: what was found once serves until then.
        """
        if self._generation != Outlet.generation:
            self._generation = Outlet.generation
            self._known_ways.clear()
        ways = self._known_ways.get(id(sessions))
        if ways is None or ways.sessions is not sessions:
            ways = _Ways(sessions, self._connections)
            if len(sessions) > 1:
                if len(self._known_ways) >= _KNOWN_WAYS:
                    self._known_ways.clear()
                self._known_ways[id(sessions)] = ways
        return ways

    def _write_together(self, turn: list[tuple[tuple[Session, ...], list[ServerEvent]]]) -> None:
        """Several audiences that overlap: what a connection gets is put together first, and written at once."""
        pieces: dict[IConnection, list[bytes]] = {}
        find = self._connections.get
        for sessions, events in turn:
            written: dict[IWireFormat, bytes] = {}
            for session in sessions:
                connection = find(session)
                if connection is not None:
                    wire_format = connection.wire_format
                    data = written.get(wire_format)
                    if data is None:
                        data = written[wire_format] = self._encode(wire_format, events)
                    if connection in pieces:
                        pieces[connection].append(data)
                    else:
                        pieces[connection] = [data]
        for connection, parts in pieces.items():
            data = b"".join(parts)
            if data:
                self._attempt(connection.write, data)

    def _attempt(self, send: Callable[[bytes], None], data: bytes) -> None:
        """A mistake on one connection must not keep the others from theirs."""
        try:
            send(data)
        except Exception:
            self._log.failure("cannot write to a connection")

    def _encode(self, wire_format: IWireFormat, events: list[ServerEvent]) -> bytes:
        try:
            return b"".join(map(wire_format.encode, events))
        except Exception:
            self._log.failure("cannot write {events} as {wire_format}", events=len(events), wire_format=wire_format)
            return b""


class Outlet:
    """
    The one gate for all that is sent over a connection: short writes, slow readers, and the least cost.

    C{transport.write} costs two system calls of the reactor's poller a frame. On plain TCP with nothing waiting the
    socket is tried first, and only what it does not take goes that way. Under TLS the socket is never touched.

    To be inherited by a protocol.

    @cvar generation: changes whenever the straight way of any connection is gained or lost.
    """

    generation: ClassVar[int] = 0

    transport: Any
    peer_address: str

    _straight: Callable[[bytes], int] | None = None
    _shut = False
    _backlog = 0

    def open_outlet(self, backlog: int) -> None:
        """
        Begin, when there is a transport.

        @param backlog: how many bytes may wait for the reader; 0 for any number.
        """
        self._backlog = backlog
        tcp_transport = getattr(self.transport, "transport", self.transport)
        if isinstance(tcp_transport, tcp.Connection):
            # By itself the system keeps some megabytes for a reader that does not read, before our own limit begins.
            tcp_transport.socket.setsockopt(SOL_SOCKET, SO_SNDBUF, SEND_BUFFER)

    def shut(self) -> None:
        """Take no more: the last word has been said."""
        self._shut = True
        self._lose_straight_way()

    def write(self, data: bytes) -> None:
        """Send something, unless the last word has been said."""
        straight = self._straight or self._find_straight_way()
        sent = 0
        if straight is not None:
            with suppress(OSError):
                sent = straight(data)
        if sent != len(data):
            self.spill(data[sent:])

    def spill(self, rest: bytes) -> None:
        """Send what the straight way did not take: from here on all waits in one place, until that is empty."""
        self._lose_straight_way()
        if not self._shut:
            self.transport.write(rest)
            if self._backlog and _waiting(self.transport) > self._backlog:
                self.cut_off()

    def cut_off(self) -> None:
        """The reader is too slow: end the connection."""
        _log.info("cut off a slow reader: {peer}", peer=self.peer_address)
        self.shut()
        self.transport.abortConnection()

    def _find_straight_way(self) -> Callable[[bytes], int] | None:
        transport = self.transport
        # Exactly this class: a subclass, a Unix socket say, may send in another way.
        if type(transport) is tcp.Server and not self._shut and not transport.TLS and not _waiting(transport):
            self._straight = transport.socket.send
            Outlet.generation += 1
        return self._straight

    def _lose_straight_way(self) -> None:
        if self._straight is not None:
            self._straight = None
            Outlet.generation += 1


_log = Logger()


def _waiting(transport: Any) -> int:
    """How many bytes the reader has not taken yet, without those that the operating system holds."""
    tcp_transport = getattr(transport, "transport", transport)
    if not isinstance(tcp_transport, tcp.Connection):
        return 0
    return len(tcp_transport.dataBuffer) - tcp_transport.offset + tcp_transport._tempDataLen
