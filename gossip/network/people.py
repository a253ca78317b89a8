"""
Who talks without a game: people on the web pages.

They are players of the network's own game, C{NAME@gossip}, and come under everything that games come under: rate
limits, lengths, pauses, mutes, bans, filters, and who may speak on a channel.
"""

from __future__ import annotations

from typing import Final

from gossip.network.channels import Channels
from gossip.network.outputs import Outputs
from gossip.network.presence import Online
from gossip.network.session import Session, Situation
from gossip.protocol.events import ChannelsSend
from gossip.registry.changes import Game
from gossip.registry.names import NETWORK_GAME

_REMEMBERED: Final = 10_000
"""Of how many people it is remembered how fast they talk."""


class People:
    """Lets people on the pages talk."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._online = Online(Game(client_id=NETWORK_GAME, short_name=NETWORK_GAME, name=NETWORK_GAME, secrets=()))
        self._sessions: dict[str, Session] = {}

    def say(self, name: str, peer: str, channel: str, message: str, now: float) -> Outputs:
        """
        Somebody says something on a channel that exists.

        @param name: the name of the account.
        @param peer: the address that it comes from.
        @return: a broadcast, if anybody hears it, and the commit of what was said.
        @raise Denied: it cannot be said; the text says why, as a game is told.
        @raise Overrun: it comes too fast.
        """
        session = self._sessions.pop(name, None) or self._new_session()
        self._sessions[name] = session
        if len(self._sessions) > _REMEMBERED:
            del self._sessions[next(iter(self._sessions))]
        session.peer = peer
        session.channels = {channel: None}
        return self._channels.send(session, ChannelsSend(None, channel, name, message), now)

    def _new_session(self) -> Session:
        session = Session()
        session.situation = Situation.ACTIVE
        session.online = self._online
        return session
