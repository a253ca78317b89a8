"""Events as frames for one MUD of Intermud-3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from zope.interface import implementer

from gossip.protocol.server_events import (
    Authenticated,
    ChannelsBroadcast,
    Failure,
    GamesConnect,
    GamesDisconnect,
    NotAuthenticated,
    ServerEvent,
    Success,
)
from gossip.service.interfaces import IWireFormat

if TYPE_CHECKING:
    from gossip.transports.intermud3.connection import I3Connection


class Subscribing(Struct, frozen=True):
    """The ref of what a MUD wants to hear."""

    channel: str


@implementer(IWireFormat)
class I3Format:
    """Events for one MUD. Until its login is answered, it is told nothing else."""

    def __init__(self, connection: I3Connection) -> None:
        self._connection = connection

    def encode(self, event: ServerEvent) -> bytes:
        connection = self._connection
        if isinstance(event, Authenticated):
            return connection.admitted(event.new_secret)
        if isinstance(event, NotAuthenticated):
            return connection.refused(event.error)
        member = connection.member
        if member is None:
            return b""
        conversation = member.conversation
        match event:
            case ChannelsBroadcast():
                return connection.factory.broadcast(event) if event.channel in conversation.heard_channels else b""
            case GamesConnect(_, game) | GamesDisconnect(_, game):
                connection.factory.hub.game_changed(game)
                return b""
            case Success(_, Subscribing(channel)):
                connection.factory.hub.channel_heard(channel)
                return b""
            case Failure(_, Subscribing(channel), error):
                return member.unheard(channel, error)
        return b"".join(map(connection.factory.counted, conversation.tell(event)))
