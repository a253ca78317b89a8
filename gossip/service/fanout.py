"""
One frame to many connections, once a reactor turn.

What the network sends in a turn of the reactor is collected and written at its end. An event is encoded once for each
wire format, events to the same audience are joined once for all of it, and a connection is written to once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import ClassVar, Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from gossip.network.session import Session
from gossip.protocol.errors import Error
from gossip.protocol.server_events import ServerEvent
from gossip.service.interfaces import IConnection, IWireFormat

_KNOWN_ROUTES: Final = 256
"""The routes of at most this many audiences are remembered."""


_APART: Final = 3
"""At most this many audiences hear of one message: old clients, and new ones with and without extensions."""


class Routes:
    """
    How to reach the connections of an audience: direct ones by their wire format, and all others.

    @cvar generation: a connection that gains or loses its direct route counts this up; every known route is then
        looked up again.
    """

    generation: ClassVar[int] = 0

    def __init__(self, sessions: tuple[Session, ...], connections: Mapping[Session, IConnection]) -> None:
        self.sessions = sessions
        self.direct: dict[IWireFormat, list[tuple[Callable[[bytes], int], IConnection]]] = {}
        self.others: list[IConnection] = []
        for session in sessions:
            connection = connections.get(session)
            if connection is None:
                continue
            send = connection.direct_send
            if send is None:
                self.others.append(connection)
            else:
                self.direct.setdefault(connection.wire_format, []).append((send, connection))


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
        self._closing: list[tuple[Session, int, Error]] = []
        self._end_of_turn: IDelayedCall | None = None
        self._known_routes: dict[int, Routes] = {}
        self._known_apart: dict[tuple[int, int], tuple[tuple[Session, ...], tuple[Session, ...], bool]] = {}
        self._generation = Routes.generation
        self.deliveries = 0

    def send(self, sessions: tuple[Session, ...], event: ServerEvent) -> None:
        """Send an event to sessions, after everything that was sent to them before."""
        turn = self._turn
        # A session is told in a tuple of its own each time.
        if turn and (turn[-1][0] is sessions or (len(sessions) == 1 and turn[-1][0] == sessions)):
            turn[-1][1].append(event)
        elif len(turn) > 1 and turn[-2][0] is sessions and self._are_apart(sessions, turn[-1][0]):
            # What was sent to others in between matters to nobody here.
            turn[-2][1].append(event)
        else:
            turn.append((sessions, [event]))
        self.deliveries += len(sessions)
        self._schedule()

    def close(self, session: Session, code: int, why: Error) -> None:
        """End a session's connection, after everything that was sent to it before."""
        self._closing.append((session, code, why))
        self._schedule()

    def _schedule(self) -> None:
        if self._end_of_turn is None:
            # It runs before the reactor looks at its sockets again.
            self._end_of_turn = self._clock.callLater(0, self._flush)

    def lost(self) -> None:
        """A session's connection is gone: nothing of it is kept here."""
        self._known_routes.clear()
        self._known_apart.clear()

    def flush(self) -> None:
        """Write now what would be written at the end of the turn."""
        if self._end_of_turn is not None:
            self._end_of_turn.cancel()
            self._flush()

    def _flush(self) -> None:
        self._end_of_turn = None
        turn, self._turn = self._turn, []
        closing, self._closing = self._closing, []
        audiences = [sessions for sessions, _ in turn if len(sessions) > 1]
        if len(audiences) <= _APART and all(self._are_apart(*pair) for pair in combinations(audiences, 2)):
            for sessions, events in turn:
                if len(sessions) == 1:
                    self._write_to_one(sessions[0], events)
                else:
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

    def _write_to_one(self, session: Session, events: list[ServerEvent]) -> None:
        connection = self._connections.get(session)
        if connection is not None:
            data = self._encode(connection.wire_format, events)
            if data:
                self._attempt(connection.write, data)

    def _write_to_each(self, sessions: tuple[Session, ...], events: list[ServerEvent]) -> None:
        """Write the same to a whole audience."""
        routes = self._routes(sessions)
        written: dict[IWireFormat, bytes] = {}
        for wire_format, direct_routes in routes.direct.items():
            data = written[wire_format] = self._encode(wire_format, events)
            size = len(data)
            for send, connection in direct_routes if data else ():  # each step in here is paid for each delivery
                try:
                    sent = send(data)
                except OSError:  # full, or broken: that is for Twisted to find out
                    sent = 0
                if sent != size:
                    self._attempt(connection.spill, data[sent:])
        for connection in routes.others:
            wire_format = connection.wire_format
            if wire_format not in written:
                written[wire_format] = self._encode(wire_format, events)
            if written[wire_format]:
                self._attempt(connection.write, written[wire_format])

    def _are_apart(self, one: tuple[Session, ...], other: tuple[Session, ...]) -> bool:
        """
        Have two audiences no session in common?

        The old and the new clients of a channel have none: they are told of the same message in different words.
        """
        key = id(one), id(other)
        known = self._known_apart.get(key)
        if known is None or known[0] is not one or known[1] is not other:
            if len(self._known_apart) >= _KNOWN_ROUTES:
                self._known_apart.clear()
            known = self._known_apart[key] = one, other, set(one).isdisjoint(other)
        return known[2]

    def _routes(self, sessions: tuple[Session, ...]) -> Routes:
        """
        How to reach an audience.

        That of a channel is the same tuple until somebody joins or leaves: what was found once serves until then.
        """
        if self._generation != Routes.generation:
            self._generation = Routes.generation
            self._known_routes.clear()
        routes = self._known_routes.get(id(sessions))
        if routes is None or routes.sessions is not sessions:
            routes = Routes(sessions, self._connections)
            if len(self._known_routes) >= _KNOWN_ROUTES:
                self._known_routes.clear()
            self._known_routes[id(sessions)] = routes
        return routes

    def _write_together(self, turn: list[tuple[tuple[Session, ...], list[ServerEvent]]]) -> None:
        """
        Several audiences that overlap: what a connection gets is put together first, and written at once.

        Connections in the same audiences get the same, which is put together once for all of them. Each audience has a
        bit, and a session the bits of its audiences.
        """
        bits: dict[int, int] = {}
        heard: dict[Session, int] = {}
        own: dict[Session, list[int]] = {}
        for number, (sessions, _) in enumerate(turn):
            if len(sessions) == 1:
                own.setdefault(sessions[0], []).append(number)
                heard.setdefault(sessions[0], 0)
            elif id(sessions) not in bits:
                bit = bits[id(sessions)] = 1 << len(bits)
                for session in sessions:
                    heard[session] = heard.get(session, 0) | bit
        in_common = [bits.get(id(sessions), 0) for sessions, _ in turn]
        parts: dict[IWireFormat, dict[int, bytes]] = {}
        joined: dict[tuple[IWireFormat, int], bytes] = {}
        for session, mask in heard.items():
            connection = self._connections.get(session)
            if connection is None:
                continue
            key = connection.wire_format, mask
            data = None if session in own else joined.get(key)
            if data is None:
                numbers = [number for number, bit in enumerate(in_common) if bit & mask]
                if session in own:
                    data = self._join(parts, turn, connection.wire_format, sorted(numbers + own[session]))
                else:
                    data = joined[key] = self._join(parts, turn, connection.wire_format, numbers)
            if data:
                self._attempt(connection.write, data)

    def _join(
        self,
        parts: dict[IWireFormat, dict[int, bytes]],
        turn: list[tuple[tuple[Session, ...], list[ServerEvent]]],
        wire_format: IWireFormat,
        numbers: list[int],
    ) -> bytes:
        """
        Put parts of a turn together.

        @param parts: those that are written already.
        @param numbers: which parts, in order.
        """
        written = parts.setdefault(wire_format, {})
        for number in numbers:
            if number not in written:
                written[number] = self._encode(wire_format, turn[number][1])
        return b"".join([written[number] for number in numbers])

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
