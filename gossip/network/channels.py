"""Channels: who hears which, and what is said (protocol specification, channels/*)."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Raw

from gossip.network.answers import failure, spend, success
from gossip.network.history import FLAG, message_id
from gossip.network.moderation import Moderation
from gossip.network.outputs import Broadcast, Commit, Outputs, Send
from gossip.network.presence import Online
from gossip.network.session import Session
from gossip.network.settings import NetworkLimits, Rules
from gossip.protocol.errors import Denied
from gossip.protocol.events import (
    AN_ERROR,
    ChannelsBroadcast,
    ChannelsBroadcastNumbered,
    ChannelsSend,
    ChannelsSubscribe,
    ChannelsUnsubscribe,
    Failure,
)
from gossip.protocol.text import clean, timestamp, too_long
from gossip.registry.changes import Channel, ChannelSaved, MessageSaid, Restriction
from gossip.registry.errors import Refused
from gossip.registry.names import CHANNEL_NAME, NETWORK_GAME, NETWORK_PLAYER
from gossip.registry.registry import Registry
from gossip.registry.restrictions import in_words

_AUDIENCES = 64
"""For how many sending games a channel remembers its audience: each is as large as the channel."""

_NAME_SHOWN = 256
"""How many characters of a bad channel name are sent back."""


class Audience:
    """
    Who hears a channel.

    The tuple for a sending game stays the same until somebody joins or leaves: who writes the frames can tell by its
    identity that several go to the same sessions. The sessions that support history are an audience of their own.
    """

    __slots__ = ("_hearing", "_sessions", "numbered")

    def __init__(self) -> None:
        self._sessions: dict[Session, None] = {}
        self._hearing: dict[Online | None, tuple[Session, ...]] = {}
        self.numbered: Audience | None = None
        """Who of them is told the numbers of messages, and is not among the others."""

    def __len__(self) -> int:
        return len(self._sessions) + (len(self.numbered) if self.numbered else 0)

    def join(self, session: Session) -> None:
        """A session subscribed."""
        self._sessions[session] = None
        self._hearing.clear()

    def leave(self, session: Session) -> None:
        """A session unsubscribed or ended."""
        self._sessions.pop(session, None)
        self._hearing.clear()

    def of(self, session: Session) -> Audience:
        """The audience that a session is, or would be, in."""
        if FLAG not in session.supports:
            return self
        if self.numbered is None:
            self.numbered = Audience()
        return self.numbered

    def hearing(self, sender: Online | None) -> tuple[Session, ...]:
        """Who hears what a game says: all but its own sessions."""
        hearing = self._hearing.get(sender)
        if hearing is None:
            if len(self._hearing) == _AUDIENCES:
                self._hearing.clear()
            hearing = tuple(session for session in self._sessions if sender is None or session.online is not sender)
            self._hearing[sender] = hearing
        return hearing


class Channels:
    """The channels of the network."""

    def __init__(self, registry: Registry, moderation: Moderation, new_ref: Callable[[], Raw], rules: Rules) -> None:
        self._rules = rules
        self._registry = registry
        self._moderation = moderation
        self._new_ref = new_ref
        self._audiences: dict[str, Audience] = {}

    def subscribed(self) -> dict[str, int]:
        """How many sessions hear each channel."""
        return {name: len(audience) for name, audience in self._audiences.items()}

    def may_join(self, name: str) -> bool:
        """May a channel be subscribed to? One that exists may, whatever its name."""
        if name in self._registry.channels:
            return True
        blocked = {blocked.lower() for blocked in self._rules.settings.blocked_channels}
        return bool(CHANNEL_NAME.fullmatch(name)) and name.lower() not in blocked

    def ban_of(self, session: Session, name: str, now: float) -> Restriction | None:
        """The ban that keeps a session out of a channel."""
        if not self._registry.bans:
            return None
        assert session.online is not None
        return self._moderation.ban_of(session, session.online.game.client_id, name, now)

    def join(self, session: Session, name: str) -> Outputs:
        """
        Subscribe a session to a channel that L{may_join} and L{ban_of} allowed; it is created if it does not exist.
        """
        outputs: Outputs = []
        if name not in self._registry.channels:
            created = ChannelSaved(Channel(name))
            self._registry.enact(created)  # at once: what the game says next must find it
            outputs.append(Commit(created))
        if name not in session.channels:
            session.channels[name] = None
            self._audience(name).of(session).join(session)
        return outputs

    def unjoined(self, name: str) -> Failure:
        """The answer to a bad name in an authenticate."""
        return Failure(ChannelsSubscribe.wire, None, f"Could not subscribe to '{name[:_NAME_SHOWN]}'")

    def leave(self, session: Session, name: str) -> None:
        """A session no longer hears a channel."""
        audience = self._audiences.get(name)
        if audience is not None:
            audience.of(session).leave(session)
            if not len(audience):
                del self._audiences[name]

    def _audience(self, name: str) -> Audience:
        audience = self._audiences.get(name)
        if audience is None:
            audience = self._audiences[name] = Audience()
        return audience

    # The events.

    def subscribe(self, session: Session, event: ChannelsSubscribe, now: float) -> Outputs:
        name = event.channel
        if not self.may_join(name):
            raise Denied(f'Could not subscribe to "{name[:_NAME_SHOWN]}"')
        ban = self.ban_of(session, name, now)
        if ban is not None:
            raise Denied(in_words(ban))
        most = self._rules.limits.channels
        if most and len(session.channels) >= most and name not in session.channels:
            raise Denied("too many channels")
        spend(session, "channels_subscribe", self._rules.limits.rates.channels_subscribe, now)
        return [*self.join(session, name), *success(session, event, now)]

    def unsubscribe(self, session: Session, event: ChannelsUnsubscribe, now: float) -> Outputs:
        spend(session, "channels_unsubscribe", self._rules.limits.rates.channels_unsubscribe, now)
        if event.channel in session.channels:
            del session.channels[event.channel]
            self.leave(session, event.channel)
        return [*success(session, event, now)]

    def send(self, session: Session, event: ChannelsSend, now: float) -> Outputs:
        if event.channel not in session.channels:
            raise Denied("not subscribed")
        online = session.online
        assert online is not None
        registry = self._registry
        speakers = registry.channels[event.channel].speakers
        name, message = self._checked(event.channel, event.name, event.message, now)
        if speakers is not None and online.game.client_id not in speakers:
            raise Denied("not allowed to speak")
        if registry.mutes or registry.bans:
            self._moderation.check_speaker(session, name, event.channel, now)
        if registry.filters.kept:
            name = registry.filters.judge(event.channel, name)
            message = registry.filters.judge(event.channel, message)
        spend(session, "channels_send", self._rules.limits.rates.channels_send, now)
        return self._say(
            event.channel,
            online,
            name,
            message,
            now,
            then=success(session, event, now),
            otherwise=failure(session, event, AN_ERROR, now),
        )

    def announce(self, channel: str, message: str, now: float) -> Outputs:
        """
        The network itself says something on a channel.

        @raise Refused: it cannot be said; the text says why.
        """
        if channel not in self._registry.channels:
            raise Refused("no such channel")
        try:
            name, message = self._checked(channel, NETWORK_PLAYER, message, now)
        except Denied as denied:
            raise Refused(str(denied)) from None
        return self._say(channel, None, name, message, now)

    def _checked(self, channel: str, name: str, message: str, now: float) -> tuple[str, str]:
        paused_until = self._registry.channels[channel].paused_until
        if paused_until is not None and paused_until > now:
            raise Denied("channel is paused")
        return checked_name(name, self._rules.limits), checked_message(message, self._rules.limits)

    def _say(
        self,
        channel: str,
        online: Online | None,
        name: str,
        message: str,
        now: float,
        then: tuple[Send, ...] = (),
        otherwise: tuple[Send, ...] = (),
    ) -> Outputs:
        game = NETWORK_GAME if online is None else online.game.short_name
        client_id = None if online is None else online.game.client_id
        outputs: Outputs = []
        number = self._registry.next_sequence(channel)
        audience = self._audiences.get(channel)
        if audience is not None:
            hearing = audience.hearing(online)
            if hearing:
                outputs.append(Broadcast(hearing, ChannelsBroadcast(self._new_ref(), channel, game, name, message)))
            if audience.numbered and (hearing := audience.numbered.hearing(online)):
                told = ChannelsBroadcastNumbered(
                    self._new_ref(), channel, game, name, message, message_id(channel, number), number, timestamp(now)
                )
                outputs.append(Broadcast(hearing, told))
        said = MessageSaid(channel, number, client_id, game, name, message, now)
        outputs.append(Commit(said, then, otherwise))
        return outputs


def checked_name(name: str, limits: NetworkLimits) -> str:
    """
    A player's name, cleaned.

    @raise Denied: it is empty or too long.
    """
    name = clean(name)
    if not name:
        raise Denied("Name cannot be empty")
    if too_long(name, 0, limits.name_bytes):
        raise Denied("name too long")
    return name


def checked_message(message: str, limits: NetworkLimits) -> str:
    """
    What a player says, cleaned.

    @raise Denied: it is empty or too long.
    """
    message = clean(message)
    if not message:
        raise Denied("empty message")
    if too_long(message, limits.message_characters, limits.message_bytes):
        raise Denied("message too long")
    return message
