"""
The directory of channels: the list that games ask for (event channels/list), and what changes of it (event
channels/changed, for sessions with the extension directory).

A session finds the channels that the pages show, the one to try things on, and hidden ones that it hears itself.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from math import ceil, inf
from typing import Final

from msgspec import Raw, Struct

from gossip.network.audiences import Audiences, Chosen, Extended
from gossip.network.moderation import Moderation
from gossip.network.outputs import Broadcast, ListChannels, Outputs, Send
from gossip.network.ratelimit import spend
from gossip.network.session import Session
from gossip.network.settings import Rules
from gossip.protocol.events import ChannelsList
from gossip.protocol.flags import DIRECTORY
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import ChannelOf, ChannelsChanged, ChannelsListAnswer, ChannelsTold
from gossip.protocol.text import timestamp
from gossip.registry.changes import Change, ChannelOpened, ChannelSaved, ChannelsRemoved
from gossip.registry.entities import Channel
from gossip.registry.names import ECHO_CHANNEL
from gossip.registry.registry import Registry

PAGE: Final = 100
"""How many channels a part of the list has, besides hidden ones that a session hears."""


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


class _Page:
    """
    Channels for all that stand side by side in the list, and what games are told of them that hear none of them and may
    speak on all: the same object until that changes, so that it is written only once.
    """

    __slots__ = ("channels", "last", "made_of", "names", "open_to_all", "since", "told", "until")

    def __init__(self, channels: tuple[Channel, ...]) -> None:
        self.channels = channels
        self.names = frozenset(channel.name for channel in channels)
        self.last = _by_name(channels[-1])
        self.open_to_all = all(channel.speakers is None for channel in channels)
        self.told = ChannelsTold(())
        self.made_of: object = None
        self.since = self.until = 0.0


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
        self._pages: list[_Page] = []

    # The list.

    def ask(self, session: Session, event: ChannelsList, now: Moment) -> Outputs:
        """A game asks for all channels."""
        assert session.online is not None
        spend(session.online.buckets, "channels_list", self._rules.limits.rates.channels_list, now)
        known = self._registry.channels
        pages = self._public()
        parts = [page.channels for page in pages] or [()]
        for name in session.channels:
            channel = known.get(name)
            if channel is not None and not _is_for_all(channel):
                # In the page whose last channel comes after it, or in the last page.
                number = bisect_left(pages, _by_name(channel), key=lambda page: page.last, hi=len(parts) - 1)
                parts[number] = tuple(sorted((*parts[number], channel), key=_by_name))
        return [ListChannels(session, event.ref, tuple(parts))]

    def listed(self, asked: ListChannels, number: int, now: Moment) -> Send:
        """
        A part of the answer to L{ask}: the channels as they are when this is made.

        @param number: the number of the part.
        """
        session, part = asked.session, asked.parts[number]
        page = self._pages[number] if number < len(self._pages) else None
        if page is not None and page.channels is part and self._is_plain(page, session, now):
            told = self._told_plainly(page, now)
        else:
            told = ChannelsTold(tuple(self._of(session, channel, now) for channel in part))
        total = sum(map(len, asked.parts))
        return Send(session, ChannelsListAnswer(asked.ref, total, told, more=number + 1 < len(asked.parts)))

    def _public(self) -> list[_Page]:
        """The channels that all games find, by name."""
        if self._revision != self._registry.channels_revision:
            self._revision = self._registry.channels_revision
            listed = filter(_is_for_all, self._registry.channels.values())
            channels = tuple(sorted(listed, key=_by_name))
            self._pages = [_Page(channels[start : start + PAGE]) for start in range(0, len(channels), PAGE)]
        return self._pages

    def _is_plain(self, page: _Page, session: Session, now: Moment) -> bool:
        """Does a session hear no channel of a page, and may its game speak on all of them?"""
        if not page.open_to_all or not session.channels.keys().isdisjoint(page.names):
            return False
        if not self._registry.mutes and not self._registry.bans:
            return True
        client_id = session.client_id
        return all(self._moderation.may_game_speak(client_id, channel, now) for channel in page.channels)

    def _told_plainly(self, page: _Page, now: Moment) -> ChannelsTold:
        names = page.names
        made_of = tuple(map(self._registry.last_said.get, names)), self._audiences.known_games(names)
        if page.made_of != made_of or not page.since <= now.wall < page.until:
            page.told = ChannelsTold(tuple(self._shown(channel, False, True, now) for channel in page.channels))
            # All games are counted by now.
            page.made_of = made_of[0], self._audiences.known_games(names)
            # Pauses begin and end by the wall clock, which can be set back.
            page.since = now.wall
            page.until = min(filter(None, (_paused_until(channel, now) for channel in page.channels)), default=inf)
        return page.told

    def _of(self, session: Session, channel: Channel, now: Moment) -> ChannelOf:
        """What a session is told of a channel."""
        may_speak = self._moderation.may_game_speak(session.client_id, channel, now)
        return self._shown(channel, channel.name in session.channels, may_speak, now)

    def _shown(self, channel: Channel, subscribed: bool, may_speak: bool, now: Moment) -> ChannelOf:
        name, until = channel.name, _paused_until(channel, now)
        last = self._registry.last_said.get(name)
        return ChannelOf(
            channel=name,
            description=channel.description,
            subscribed=subscribed,
            games=self._audiences.games_on(name) if name in self._registry.channels else 0,
            may_speak=may_speak,
            # A part of a second would let a game speak too early.
            paused_until=None if until is None else timestamp(ceil(until), "seconds"),
            last_sent_at=None if last is None else timestamp(last, "seconds"),
        )

    # The changes.

    def news(self, changes: Iterable[Change]) -> list[News]:
        """
        Of changes that are about to be made, those of channels. What comes of them is for L{tell}.

        Channels that go away because nobody uses them are no news: they are hidden, and nobody hears them.
        """
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
        if _is_for_all(channel):
            return self._tell(self._audiences.resolve(Extended(DIRECTORY)), channel, "created", now)
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
                    outputs += self._tell(everybody if _is_for_all(before) else hearing, before, change, now)
                elif change == "hidden":
                    assert before is not None
                    others = tuple(session for session in everybody if session not in hearing)
                    outputs += [*self._tell(hearing, after, change, now), *self._tell(others, before, change, now)]
                else:
                    outputs += self._tell(everybody if _is_for_all(after) else hearing, after, change, now)
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


def _is_for_all(channel: Channel) -> bool:
    """Do all games find a channel? All can try things on the one for that, though the pages do not show it."""
    return not channel.hidden or channel.name == ECHO_CHANNEL


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
