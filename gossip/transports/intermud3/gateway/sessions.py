"""The house sessions of a gateway: that of its own game, and one for each MUD of the other network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from zope.interface import implementer

from gossip.network.session import Session
from gossip.protocol.errors import Denied, Error
from gossip.protocol.server_events import ServerEvent
from gossip.registry.addresses import UNKNOWN
from gossip.registry.entities import Game
from gossip.registry.remotes import remote_id
from gossip.service.interfaces import IConnection, IWireFormat
from gossip.service.service import GossipService
from gossip.transports.intermud3.gateway.muds import Mud, Muds
from gossip.transports.intermud3.gateway.settings import Mapped
from gossip.transports.intermud3.gateway.talk import Talk

TRANSPORT: Final = "i3-gateway"
"""The name of the transport, for people and metrics."""

REJOIN_SECONDS: Final = 300.0
"""How long a MUD whose session was ended is left out, in seconds."""

SUPPORTS: Final = frozenset(("channels", "players", "tells", "games"))


@implementer(IWireFormat)
class Frames:
    """Events as frames for the router, for one session."""

    def __init__(self, write: Callable[[ServerEvent], Iterable[bytes]]) -> None:
        self._write = write

    def encode(self, event: ServerEvent) -> bytes:
        return b"".join(self._write(event))


@implementer(IConnection)
class HouseConnection:
    """
    A house session's connection, which is no more than a part of the link.

    @ivar session: the session, once it has joined.
    """

    transport_name = TRANSPORT
    peer_address = UNKNOWN
    direct_send = None
    unsent = 0
    session: Session

    def __init__(
        self,
        write: Callable[[ServerEvent], Iterable[bytes]],
        send: Callable[[bytes], None],
        closed: Callable[[HouseConnection], None],
    ) -> None:
        """
        @param write: writes an event for the session, as frames.
        @param send: takes each frame.
        @param closed: is told that the network ended the session.
        """
        self.wire_format = Frames(write)
        self._send = send
        self._closed = closed

    def write(self, data: bytes) -> None:
        while data:
            end = 4 + int.from_bytes(data[:4], "big")
            self._send(data[:end])
            data = data[end:]

    def spill(self, rest: bytes) -> None:
        """It has no direct route."""

    def close(self, code: int, why: Error) -> None:
        self._closed(self)

    def pause(self) -> None:
        """What comes is bounded by how much of each MUD is heard."""

    def resume(self) -> None:
        """The same."""


class HouseSessions:
    """
    The sessions that are there while the link is up.

    @ivar own: what carries that of the gateway's own game; C{None} if it is not here.
    """

    def __init__(
        self,
        gossip: GossipService,
        talk: Talk,
        muds: Muds,
        mapped: Sequence[Mapped],
        listed: bool,
        broadcast: Callable[[ServerEvent], Iterable[bytes]],
        send: Callable[[bytes], None],
        ended: Callable[[], None],
    ) -> None:
        """
        @param mapped: the channels that pass.
        @param listed: whether the MUDs are shown among the games.
        @param broadcast: writes an event for the gateway's own game, as frames.
        @param send: takes each frame.
        @param ended: is told that the network ended the session of the gateway's own game.
        """
        self.own: HouseConnection | None = None
        self._gossip = gossip
        self._talk = talk
        self._muds = muds
        self._mapped = mapped
        self._listed = listed
        self._broadcast = broadcast
        self._send = send
        self._ended = ended
        self._sessions: dict[str, HouseConnection] = {}
        self._left_out: dict[str, float] = {}

    def join_own(self, game: Game) -> None:
        """
        The gateway's own game joins.

        @raise Denied: it may not.
        """
        own = HouseConnection(self._broadcast, self._send, self._own_closed)
        own.session = self._gossip.let_in(own, game, SUPPORTS, [each.here for each in self._mapped])
        self.own = own

    def _own_closed(self, connection: HouseConnection) -> None:
        """The network ended the session of the gateway's own game."""
        if connection is self.own:
            self._ended()

    def came(self, mud: Mud) -> None:
        """A MUD came, or has other services than before."""
        known = self._sessions.get(mud.name.lower())
        if known is not None and known.session.supports != mud.supports:
            self.part(mud)
        self.join(mud)

    def join(self, mud: Mud) -> HouseConnection | None:
        """The session of a MUD; C{None} if it has none and cannot join now."""
        key = mud.name.lower()
        known = self._sessions.get(key)
        if known is not None or self.own is None or key in self._left_out:
            return known

        def write(event: ServerEvent) -> Iterable[bytes]:
            return self._talk.tell(mud, event, self._gossip.now())

        def closed(connection: HouseConnection) -> None:
            self._closed(key, connection)

        connection = HouseConnection(write, self._send, closed)
        game = Game(
            client_id=remote_id(self.own.session.client_id, mud.name),
            short_name=mud.short_name,
            name=mud.name,
            secrets=(),
            hidden=not self._listed,
        )
        try:
            connection.session = self._gossip.let_in(
                connection, game, mud.supports, [each.here for each in self._mapped if each.hears]
            )
        except Denied:
            self._left_out[key] = self._gossip.now().steady + REJOIN_SECONDS
            return None
        self._sessions[key] = connection
        return connection

    def part(self, mud: Mud) -> None:
        """A MUD is gone."""
        connection = self._sessions.pop(mud.name.lower(), None)
        if connection is not None:
            self._gossip.lost(connection.session)

    def _closed(self, key: str, connection: HouseConnection) -> None:
        """The network ended the session of a MUD."""
        if self._sessions.get(key) is connection:
            del self._sessions[key]
            self._left_out[key] = self._gossip.now().steady + REJOIN_SECONDS
            self._gossip.lost(connection.session)

    def rejoin(self, now: float) -> None:
        """Time went by: the MUDs that were left out for long enough join again."""
        for key in [key for key, until in self._left_out.items() if until <= now]:
            del self._left_out[key]
            mud = self._muds.find(key)
            if mud is not None:
                self.join(mud)

    def leave(self) -> None:
        """All MUDs of the other network are gone, and the game that speaks for them."""
        self._left_out.clear()
        sessions, self._sessions = self._sessions, {}
        for each in sessions.values():
            self._gossip.lost(each.session)
        own, self.own = self.own, None
        if own is not None:
            self._gossip.lost(own.session)
