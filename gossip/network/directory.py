"""
The directory of channels: the list that games ask for (event channels/list), and what changes of it (event
channels/changed, for sessions with the extension directory).

A session finds the channels that the pages show, the one to try things on, and hidden ones that it hears itself.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Raw, Struct

from gossip.network.audiences import Audiences, Chosen, Extended
from gossip.network.moderation import Moderation
from gossip.network.outputs import Broadcast, ListChannels, Outputs, Send
from gossip.network.ratelimit import spend
from gossip.network.session import Session
from gossip.network.settings import Rules
from gossip.protocol.events import ChannelOf, ChannelsChanged, ChannelsList, ChannelsListAnswer
from gossip.protocol.flags import DIRECTORY
from gossip.protocol.moment import Moment
from gossip.protocol.text import timestamp
from gossip.registry.changes import Change, Channel, ChannelOpened, ChannelSaved, ChannelsRemoved
from gossip.registry.names import ECHO_CHANNEL
from gossip.registry.registry import Registry


class News(Struct, frozen=True):
    """
    A channel is about to change.

    @ivar before: the channel as it is; C{None} if it is created.
    @ivar after: the channel as it will be; C{None} if it is removed.
    @ivar hearing: the sessions with the extension directory that hear it before the change.
    """

    before: Channel | None
    after: Channel | None
    hearing: tuple[Session, ...]


class Directory:
    """Tells games which channels there are."""

    def __init__(
        self,
        registry: Registry,
        audiences: Audiences,
        moderation: Moderation,
        new_ref: Callable[[], Raw],
        rules: Rules,
    ) -> None:
        self._registry = registry
        self._audiences = audiences
        self._moderation = moderation
        self._new_ref = new_ref
        self._rules = rules
        self._revision = -1
        self._shown: list[Channel] = []
        self._told: dict[tuple[str, bool, bool], tuple[tuple[object, ...], ChannelOf]] = {}

    # The list.

    def ask(self, session: Session, event: ChannelsList, now: Moment) -> Outputs:
        """A game asks for all channels."""
        assert session.online is not None
        spend(session.online.buckets, "channels_list", self._rules.limits.rates.channels_list, now)
        known = self._registry.channels
        channels = list(self._public())
        for name in {ECHO_CHANNEL, *session.channels}:
            channel = known.get(name)
            if channel is not None and channel.hidden:
                insort(channels, channel, key=_by_name)
        return [ListChannels(session, event.ref, tuple(channels))]

    def listed(self, asked: ListChannels, start: int, end: int, now: Moment) -> Send:
        """
        A part of the answer to L{ask}: the channels as they are when this is made.

        @param start: the first channel of the part.
        @param end: the first channel of the next part.
        """
        session, channels = asked.session, asked.channels
        part = tuple(self._of(session, channel, now) for channel in channels[start:end])
        total = len(channels)
        return Send(session, ChannelsListAnswer(asked.ref, total, part, more=end < total))

    def _public(self) -> Sequence[Channel]:
        """The channels that the pages show, by name."""
        if self._revision != self._registry.channels_revision:
            self._revision = self._registry.channels_revision
            shown = (channel for channel in self._registry.channels.values() if not channel.hidden)
            self._shown = sorted(shown, key=_by_name)
            self._told.clear()
        return self._shown

    def _of(self, session: Session, channel: Channel, now: Moment) -> ChannelOf:
        """What a session is told of a channel: the same object for all sessions that are told the same."""
        name = channel.name
        subscribed = name in session.channels
        may_speak = self._moderation.may_game_speak(session.client_id, channel, now)
        games = self._audiences.games_on(name)
        until, last = _paused_until(channel, now), self._registry.last_said.get(name)
        key = name, subscribed, may_speak
        made_of = channel.description, games, until, last
        known = self._told.get(key)
        if known is None or known[0] != made_of:
            told = ChannelOf(
                channel=name,
                description=channel.description,
                subscribed=subscribed,
                games=games,
                may_speak=may_speak,
                paused_until=None if until is None else timestamp(until, "seconds"),
                last_sent_at=None if last is None else timestamp(last, "seconds"),
            )
            known = self._told[key] = made_of, told
        return known[1]

    # The changes.

    def news(self, changes: Iterable[Change]) -> list[News]:
        """Of changes that are about to be made, those of channels. What comes of them is for L{tell}."""
        news: list[News] = []
        made: dict[str, Channel | None] = {}
        for change in changes:
            for name, after in _channels_after(change):
                before = made[name] if name in made else self._registry.channels.get(name)
                if isinstance(change, ChannelOpened):
                    after = before or after
                if before != after:
                    news.append(News(before, after, self._audiences.resolve(Extended(DIRECTORY, name))))
                made[name] = after
        return news

    def opened(self, session: Session, name: str, now: Moment) -> Outputs:
        """A session created a channel by subscribing to it: nobody else hears it."""
        channel = self._registry.channels[name]
        return self._tell((session,), channel, "created", now) if DIRECTORY in session.extensions else []

    def tell(self, news: Iterable[News], now: Moment) -> Outputs:
        """
        Tell of changes that were made: those of a shown channel to all sessions with the extension, those of a hidden
        one to the sessions that hear it. All have known a channel that is hidden now, so all are told that it is, but
        not what else changed with that.
        """
        outputs: Outputs = []
        everybody = self._audiences.resolve(Extended(DIRECTORY))
        for each in news:
            before, after, hearing = each.before, each.after, each.hearing
            for change in _differences(before, after, now):
                if after is None:
                    assert before is not None
                    outputs += self._tell(hearing if before.hidden else everybody, before, change, now)
                elif change == "hidden":
                    assert before is not None
                    others = tuple(session for session in everybody if session not in hearing)
                    outputs += [*self._tell(hearing, after, change, now), *self._tell(others, before, change, now)]
                else:
                    outputs += self._tell(hearing if after.hidden else everybody, after, change, now)
        return outputs

    def _tell(self, sessions: Iterable[Session], channel: Channel, change: str, now: Moment) -> Outputs:
        told: dict[ChannelOf, list[Session]] = {}
        for session in sessions:
            told.setdefault(self._of(session, channel, now), []).append(session)
        return [
            Broadcast(Chosen(tuple(some)), ChannelsChanged(self._new_ref(), change, channel_of))
            for channel_of, some in told.items()
        ]


def _channels_after(change: Change) -> Iterable[tuple[str, Channel | None]]:
    """The channels that a change is about, by name, and what they are after it."""
    match change:
        case ChannelSaved(channel):
            return ((channel.name, channel),)
        case ChannelOpened(name):
            return ((name, Channel(name)),)
        case ChannelsRemoved(names):
            return ((name, None) for name in names)
    return ()


def _by_name(channel: Channel) -> tuple[str, str]:
    # Names of channels that differ only in case are different channels.
    return channel.name.lower(), channel.name


def _paused_until(channel: Channel, now: Moment) -> float | None:
    until = channel.paused_until
    return until if until is not None and until > now.wall else None


def _differences(before: Channel | None, after: Channel | None, now: Moment) -> Iterator[str]:
    """In words, what is different about a channel; nothing for what games are not told."""
    if before is None or after is None:
        yield "removed" if after is None else "created"
        return
    if before.hidden != after.hidden:
        yield "hidden" if after.hidden else "published"
    if before.description != after.description:
        yield "described"
    until = _paused_until(after, now)
    if until != _paused_until(before, now):
        yield "resumed" if until is None else "paused"
    if before.speakers != after.speakers:
        yield "speakers"
