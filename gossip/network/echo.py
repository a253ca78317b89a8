"""
Echo: a player of the network itself that answers a game with what it said, so that a lone game can hear something.

It answers on the channel L{ECHO_CHANNEL <gossip.registry.names.ECHO_CHANNEL>}, and tells. Nobody but the game that
spoke hears it, nothing of it is kept, and so its broadcasts have no number. It answers seldom enough that two programs
that answer each other stop, and never to what it said itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Raw

from gossip.network.outputs import Outputs, Relay, Send
from gossip.network.presence import Online, Presence
from gossip.network.ratelimit import Bucket, Rate
from gossip.network.relays import Echoed
from gossip.network.session import Session
from gossip.network.settings import Rules
from gossip.protocol.emotes import emote
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import ChannelsBroadcast, TellsReceive
from gossip.protocol.text import shortened, timestamp
from gossip.registry.changes import MessageSaid
from gossip.registry.names import ECHO_PLAYER, NETWORK_GAME

ON_CHANNEL: Final = Rate(1, 1)
"""How often it answers a game on the channel."""

BY_TELL: Final = Rate(5, 1)
"""How often it answers the players of a game by tells."""

_SAID, _EMOTED, _TOLD = "said: ", "emoted: ", "You said: "


class Echo:
    """The player C{echo}."""

    def __init__(self, presence: Presence, new_ref: Callable[[], Raw], rules: Rules) -> None:
        self._presence = presence
        self._new_ref = new_ref
        self._rules = rules

    def plays(self, name: str) -> bool:
        """Is this its name, and is it there? An operator may switch it off."""
        return name.lower() == ECHO_PLAYER and self._rules.settings.echo

    def heard(self, said: MessageSaid, now: Moment) -> Outputs:
        """
        A message on its channel is on disk: the sessions of the game that sent it hear an answer, if they hear the
        channel. A person on the pages has no such sessions.
        """
        online = self._presence.online(said.client_id or "")
        if online is None or not self._rules.settings.echo:
            return []
        at_game = f"@{said.game} "
        repeats = any(at_game + verb in said.message for verb in (_SAID, _EMOTED))
        if repeats or _is_silent(online, "echo", ON_CHANNEL, now):
            return []
        done = emote(said.message)
        answer = _SAID + said.message if done is None else _EMOTED + done
        return self.broadcast(online, said.channel, said.name + at_game + answer)

    def broadcast(self, online: Online, channel: str, text: str) -> Outputs:
        """
        Say something on a channel, to one game alone.

        @return: an output for each of its sessions that hear the channel. They are answers of the session that spoke,
            which must come after those that it waits for.
        """
        outputs = self.broadcast_here(online, channel, text)
        if any(session.node and channel in session.channels for session in online.sessions):
            outputs.append(Relay(Echoed(online.game.client_id, channel, text)))
        return outputs

    def broadcast_here(self, online: Online, channel: str, text: str) -> Outputs:
        """The same, to the sessions of this node only."""
        told = ChannelsBroadcast(self._new_ref(), channel, NETWORK_GAME, ECHO_PLAYER, self._fitting(text))
        return [Send(session, told) for session in online.here if channel in session.channels]

    def echoed(self, echoed: Echoed) -> Outputs:
        """It said something on another node."""
        online = self._presence.online(echoed.client_id)
        return [] if online is None else self.broadcast_here(online, echoed.channel, echoed.text)

    def told(self, session: Session, from_name: str, message: str, now: Moment) -> Outputs:
        """
        A player tells it something.

        @param from_name: the name of the player.
        @return: what the player is told.
        """
        online = session.online
        assert online is not None
        if message.startswith(_TOLD) or _is_silent(online, "echo_tells", BY_TELL, now):
            return []
        return [Send(session, self.tell(from_name, _TOLD + message, now))]

    def tell(self, to_name: str, text: str, now: Moment) -> TellsReceive:
        """Something that it tells a player."""
        sent_at = timestamp(now.wall)
        return TellsReceive(self._new_ref(), NETWORK_GAME, ECHO_PLAYER, to_name, sent_at, self._fitting(text))

    def _fitting(self, text: str) -> str:
        """What it says is as long as what a player may say, at most."""
        return shortened(text, self._rules.limits.message_characters, self._rules.limits.message_bytes)


def _is_silent(online: Online, name: str, rate: Rate, now: Moment) -> bool:
    """Was this game answered often enough? To be answered no more is no offence, so nothing is counted against it."""
    bucket = online.buckets.get(name)
    if bucket is None:
        bucket = online.buckets[name] = Bucket(now)
    return not bucket.take(rate, now)
