"""Channels: which sessions hear them, and what is said (protocol specification, channels/*)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Raw
from msgspec.structs import astuple, replace

from gossip.network.answers import failure, success
from gossip.network.audiences import Audiences, Subscribers
from gossip.network.directory import Directory
from gossip.network.expiry import DAY
from gossip.network.history import message_id
from gossip.network.moderation import Moderation
from gossip.network.nodes import Nodes
from gossip.network.outputs import Broadcast, Commit, Outputs, Send
from gossip.network.ratelimit import Buckets, Rate, spend
from gossip.network.session import Session
from gossip.network.settings import NetworkLimits, Rules
from gossip.network.shares import spend_of
from gossip.network.speaker import NETWORK, Speaker
from gossip.protocol.emotes import emote
from gossip.protocol.errors import NOT_KEPT, Denied, Error, Overrun
from gossip.protocol.events import ChannelsSend, ChannelsSubscribe, ChannelsUnsubscribe
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import ChannelsBroadcast, ChannelsBroadcastNumbered, ChannelsEmote, Failure
from gossip.protocol.skeleton import is_visible
from gossip.protocol.text import clean, clean_name, timestamp, too_long
from gossip.registry.addresses import Address
from gossip.registry.changes import ChannelOpened, MessageSaid
from gossip.registry.entities import Channel, Restriction
from gossip.registry.errors import Refused
from gossip.registry.names import CHANNEL_NAME, is_of_network, resembles
from gossip.registry.registry import Registry
from gossip.registry.remotes import gateway_of
from gossip.registry.restrictions import code_of, values_of

_NAME_SHOWN: Final = 300
"""At most this many characters of a bad channel name are sent back (protocol specification, channels/subscribe)."""

WEIGHED: Final = 1024
"""In what all sessions of a game may say together, a message counts once for each 1,024 characters, at least once."""


class Channels:
    """The channels of the network."""

    def __init__(
        self,
        registry: Registry,
        audiences: Audiences,
        moderation: Moderation,
        directory: Directory,
        nodes: Nodes,
        new_ref: Callable[[], Raw],
        rules: Rules,
    ) -> None:
        self._rules = rules
        self._registry = registry
        self._audiences = audiences
        self._moderation = moderation
        self._directory = directory
        self._nodes = nodes
        self._new_ref = new_ref
        self._created: Buckets = {}
        self.opened: set[str] = set()

    def subscribed(self) -> dict[str, int]:
        """How many sessions hear each channel."""
        return self._audiences.subscribed()

    def may_join(self, name: str) -> bool:
        """May a channel be subscribed to? One that exists may, whatever its name."""
        if name in self._registry.channels:
            return True
        return bool(CHANNEL_NAME.fullmatch(name)) and not resembles(name, self._rules.settings.blocked_channels)

    def may_create(self, session: Session, name: str, now: Moment) -> bool:
        """
        May a session subscribe to a channel, if that creates it? It is counted if so: a game may create some each day,
        however often it joins, and there is a number of channels that the network bears.
        """
        known, limits = self._registry.channels, self._rules.limits
        if name in known:
            return True
        if limits.all_channels and len(known) >= limits.all_channels:
            return False
        try:
            spend(self._created, session.client_id, Rate(limits.new_channels, limits.new_channels / DAY), now)
        except Overrun:
            return False
        return True

    def forgive(self, now: Moment) -> None:
        """Forget the games that have not created a channel for a day."""
        rate = Rate(1, self._rules.limits.new_channels / DAY)
        self._created = {game: bucket for game, bucket in self._created.items() if bucket.level(rate, now)}

    def removed(self, name: str) -> Outputs:
        """A channel is gone: nobody is subscribed to it any more."""
        outputs: Outputs = []
        for session in self._audiences.subscribers(name):
            session.channels.pop(name, None)
            self.leave(session, name)
            # Other nodes may hear of its subscription only after they have heard of the removal.
            outputs.extend(self._nodes.unsubscribed(session, name))
        self._nodes.removed(name)
        return outputs

    def ban_of(self, session: Session, name: str, now: Moment) -> Restriction | None:
        """The ban that keeps a session out of a channel."""
        if not self._registry.bans:
            return None
        assert session.online is not None
        return self._moderation.ban_of(session, session.online.game.client_id, name, now)

    def join(self, session: Session, name: str, now: Moment) -> Outputs:
        """
        Subscribe a session to a channel that L{may_join}, L{ban_of} and L{may_create} allowed; it is created if it does
        not exist.
        """
        outputs: Outputs = []
        if name not in self._registry.channels:
            created = ChannelOpened(name)
            self._registry.enact(created)  # at once: what the game says next must find it
            if self._nodes.shared:
                self.opened.add(name)
            outputs.append(Commit(created, learned=True))
        if name not in session.channels:
            # Not the name as it was sent: each of those would be kept in memory by its session.
            session.channels[self._registry.channels[name].name] = None
            self._audiences.subscribe(session, name)
            _tell_differently(session)
        if outputs:
            outputs += self._directory.opened(session, name, now)
        return outputs

    def unjoined(self, name: str) -> Failure:
        """The answer to a bad name in an authenticate."""
        return Failure(ChannelsSubscribe.wire, None, Error.of("not-joined", channel=name[:_NAME_SHOWN]))

    def leave(self, session: Session, name: str) -> None:
        """A session no longer hears a channel."""
        self._audiences.unsubscribe(session, name)
        _tell_differently(session)

    # The events.

    def subscribe(self, session: Session, event: ChannelsSubscribe, now: Moment) -> Outputs:
        """A session wants to hear a channel; a valid name that does not exist is created."""
        name = event.channel
        if not self.may_join(name):
            raise Denied("bad-channel", channel=name[:_NAME_SHOWN])
        ban = self.ban_of(session, name, now)
        if ban is not None:
            raise Denied(code_of(ban), **values_of(ban))
        most = self._rules.limits.channels
        if most and len(session.channels) >= most and name not in session.channels:
            raise Denied("too-many-channels")
        limits = self._rules.limits
        spend_of(session, "channels_subscribe", limits.rates.channels_subscribe, limits.sessions_share, now)
        if not self.may_create(session, name, now):
            raise Denied("too-many-channels")
        others = self._nodes.subscribed(session, name) if name not in session.channels else []
        return [*self.join(session, name, now), *others, *success(session, event, now)]

    def unsubscribe(self, session: Session, event: ChannelsUnsubscribe, now: Moment) -> Outputs:
        """A session no longer wants to hear a channel; it need not hear it now."""
        limits = self._rules.limits
        spend_of(session, "channels_unsubscribe", limits.rates.channels_unsubscribe, limits.sessions_share, now)
        others: Outputs = []
        if event.channel in session.channels:
            del session.channels[event.channel]
            self.leave(session, event.channel)
            others = self._nodes.unsubscribed(session, event.channel)
        return [*others, *success(session, event, now)]

    def send(self, session: Session, event: ChannelsSend, now: Moment) -> Outputs:
        """A player of a session says something."""
        if event.channel not in session.channels:
            raise Denied("not-subscribed")
        assert session.online is not None
        game = session.online.game
        speaker = Speaker(game.client_id, game.short_name, event.name, session.peer, session=session)
        then, otherwise = success(session, event, now), failure(session, event, NOT_KEPT, now)
        return self.say(speaker, event.channel, event.message, now, then, otherwise)

    def say(
        self,
        speaker: Speaker,
        channel: str,
        message: str,
        now: Moment,
        then: tuple[Send, ...] = (),
        otherwise: tuple[Send, ...] = (),
    ) -> Outputs:
        """
        Somebody says something on a channel: a player of a game, a person on the pages, or the network itself.

        @param channel: the name of a channel that exists.
        @param then: what leaves when the message is on disk.
        @param otherwise: what leaves when it could not be kept.
        @return: what L{heard} returns, then the L{Commit} of the message. Where several nodes are one network, all of
            them hear it when it comes back with its number, this one as well.
        @raise Denied: it cannot be said; the text is the answer to a game.
        @raise Overrun: it comes too fast.
        """
        registry = self._registry
        # A channel that a game here just opened may not have come back yet.
        known = registry.channels.get(channel) or Channel(channel)
        _check_open(known, now)
        name = checked_name(speaker.name, self._rules.limits)
        message = checked_message(message, self._rules.limits)
        client_id = speaker.client_id
        if client_id is not None:
            self._check_allowed(client_id, speaker.peer, name, known, now)
            if registry.filters.kept:
                name = registry.filters.judge(channel, name)
                message = registry.filters.judge(channel, message)
        limits = self._rules.limits
        if speaker.session is not None:
            # A game with many sessions must not fill the buffers of all listeners with long messages.
            weight = max(len(message) / WEIGHED, 1)
            spend_of(speaker.session, "channels_send", limits.rates.channels_send, limits.sessions_share, now, weight)
        elif speaker.buckets is not None:
            spend(speaker.buckets, "channels_send", limits.rates.channels_send, now)
        number = 0 if self._nodes.shared else registry.numbers.next_message(channel)
        said = MessageSaid(channel, number, client_id, speaker.game, name, message, now.wall)
        if self._nodes.shared:
            return [Commit(said, then, otherwise)]
        registry.enact(said)
        return [*self.heard(said), Commit(said, then, otherwise, learned=True)]

    def check_speaker(self, speaker: Speaker, channel: str, now: Moment) -> None:
        """
        May a player of a game speak on a channel that exists, whatever they say?

        @raise Denied: they may not; the text says why.
        """
        known = self._registry.channels[channel]
        _check_open(known, now)
        assert speaker.client_id is not None
        self._check_allowed(speaker.client_id, speaker.peer, speaker.name, known, now)

    def _check_allowed(self, client_id: str, peer: Address, name: str, channel: Channel, now: Moment) -> None:
        if channel.speakers is not None and channel.speakers.isdisjoint((client_id, gateway_of(client_id))):
            raise Denied("not-allowed-to-speak")
        if self._registry.mutes or self._registry.bans:
            self._moderation.check_speaker(client_id, peer, name, channel.name, now)

    def announce(self, channel: str, message: str, now: Moment) -> Outputs:
        """
        The network itself says something on a channel.

        @raise Refused: it cannot be said; the text says why.
        """
        if channel not in self._registry.channels:
            raise Refused("not-found", "channel", "no such channel")
        try:
            return self.say(NETWORK, channel, message, now)
        except Denied as denied:
            raise Refused(denied.error.code, None, denied.error.text) from None

    def heard(self, said: MessageSaid) -> Outputs:
        """The broadcasts of a message: to all who hear the channel, except the game that said it, or passed it on."""
        outputs: Outputs = []
        channel, but = said.channel, said.client_id and gateway_of(said.client_id)
        if self._audiences.hears(channel, numbered=False):
            told = ChannelsBroadcast(self._new_ref(), channel, said.game, said.name, said.message)
            outputs.append(Broadcast(Subscribers(channel, but), told))
        if self._audiences.hears(channel, numbered=True):
            told = ChannelsBroadcastNumbered(
                self._new_ref(),
                channel,
                said.game,
                said.name,
                said.message,
                message_id(channel, said.seq),
                said.seq,
                timestamp(said.said_at),
            )
            audience = Subscribers(channel, but, numbered=True)
            if emote(said.message) is None:
                outputs.append(Broadcast(audience, told))
            else:
                outputs.append(Broadcast(replace(audience, extended=False), told))
                outputs.append(Broadcast(replace(audience, extended=True), ChannelsEmote(*astuple(told))))
        return outputs


def _check_open(channel: Channel, now: Moment) -> None:
    if channel.paused_until is not None and channel.paused_until > now.wall:
        raise Denied("channel-paused")


def _tell_differently(session: Session) -> None:
    """The channels of a session changed, which others are told of its game."""
    if session.online is not None:
        session.online.changed()


def checked_name(name: str, limits: NetworkLimits) -> str:
    """
    A player's name, cleaned.

    @raise Denied: it is empty or too long, or would be mistaken for one of the network itself.
    """
    name = clean_name(name)
    plain = name.isalnum()  # most names are: without fillers, that is visible, and there is no "@"
    if not plain and not is_visible(name):
        raise Denied("empty-name")
    if too_long(name, 0, limits.name_bytes):
        raise Denied("name-too-long")
    if not plain and is_of_network(name):
        raise Denied("reserved-name")
    return name


def checked_message(message: str, limits: NetworkLimits) -> str:
    """
    What a player says, cleaned.

    @raise Denied: it is empty or too long.
    """
    message = clean(message)
    if not is_visible(message):
        raise Denied("empty-message")
    if too_long(message, limits.message_characters, limits.message_bytes):
        raise Denied("message-too-long")
    return message
