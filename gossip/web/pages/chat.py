"""The pages of the channels: their messages, live and past."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from markupsafe import Markup
from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.web import http

from gossip.operations.moderators import moderates
from gossip.operations.texts import time_of
from gossip.protocol.emotes import spoken
from gossip.protocol.errors import Denied
from gossip.registry.changes import MessageSaid
from gossip.registry.entities import Channel
from gossip.web.api.feeds import atom
from gossip.web.http.requests import PublicRequest, answer_cached
from gossip.web.http.router import NotFound, Problem, Router, redirect
from gossip.web.http.urls import number_parameter, parameter, site_address
from gossip.web.live import Live
from gossip.web.pages.front import LINES
from gossip.web.views.formatting import sentence
from gossip.web.views.layout import Layout
from gossip.web.views.public import PublicGame, PublicView, public_author
from gossip.web.views.queries import CachedQueries
from gossip.web.views.times import localised, time_tag

LISTED: Final = 100
"""The maximum number of channels on a page of the list."""

PAGE: Final = 100
"""The maximum number of messages on a page."""

FEED: Final = 50
"""The maximum number of messages in a feed."""

REPLY: Final = 100
"""The maximum number of characters that a link puts into the field."""

GAMES: Final = 20
"""The maximum number of games beside the talk; the first have the most players."""

_ABOUT: Final = "Messages on a channel reach every game that subscribes to it. Anyone can read them here."


class _ListedChannel(Struct, frozen=True):
    """
    A channel in the list beside the talk.

    @ivar last_said_at: when it had its last message, in seconds since the epoch; C{None} if it has none.
    """

    name: str
    last_said_at: float | None


class _Listening(Struct, frozen=True):
    """
    The games that listen to a channel.

    @ivar games: the first ones.
    @ivar total: how many they are.
    @ivar players: how many players they have together.
    """

    games: list[PublicGame]
    total: int
    players: int


class Draft(Struct, frozen=True):
    """
    The text of a form that could not be sent, to show again.

    @ivar wrong: the reason; empty if there is none.
    @ivar code: the status code for that reason.
    """

    text: str = ""
    wrong: str = ""
    code: int = http.OK


NOTHING: Final = Draft()


class ChatPages:
    """The list of channels, and a page for each."""

    def __init__(self, layout: Layout, public: PublicView, queries: CachedQueries, live: Live) -> None:
        self._layout = layout
        self._public = public
        self._queries = queries
        self._live = live

    def add(self, router: Router) -> None:
        """Add the pages."""
        router.add("/live", get=self.follow_all)
        router.add("/live/removed", get=self.follow_removals)
        router.add("/chat", get=lambda request: redirect(request, "/channels"))
        router.add("/channels", get=self.channels)
        router.add("/chat/{name}", get=self.chat)
        router.add("/chat/{name}/live", get=self.follow)
        router.add("/chat/{name}/feed.atom", get=self.feed)
        router.add("/chat/{name}/side", get=self.side)
        router.add("/chat/{name}/{seq}", get=self.message)

    async def channels(self, request: PublicRequest) -> bytes:
        """All channels, each with its latest message."""
        known = (await self._queries.channels()).channels
        after = number_parameter(request, "after") or 0
        channels = known[after : after + LISTED]
        left = max(len(known) - after - LISTED, 0)
        last: dict[str, MessageSaid] = {}
        for channel in channels:
            lines = await self._queries.history(channel.name, 1)
            if lines:
                last[channel.name] = lines[-1]
        return self._layout.page(
            request,
            "channels.html",
            title="Channels",
            description=_ABOUT,
            channels=channels,
            last=last,
            left=left,
            next=after + LISTED,
        )

    async def chat(self, request: PublicRequest, name: str, draft: Draft = NOTHING) -> bytes:
        """The messages of a channel: the latest ones, those before or after a given one, or those since a day."""
        self._public.channel(name)
        before, after = number_parameter(request, "before"), number_parameter(request, "after")
        if day := parameter(request, "on"):
            first = await self._first_on(name, day)
            before, after = None, None if first is None else first - 1
        if after is not None:
            before = None
        lines = list(await self._queries.history(name, PAGE + 1, before, after))
        more = len(lines) > PAGE
        # An empty page links back to the messages next to it, and must not follow the channel from its beginning.
        if after is not None:
            # Going forwards: the extra message is the last.
            lines = lines[:PAGE]
            earlier, last = (lines[0].seq, lines[-1].seq) if lines else (after + 1, after)
            return await self._chat(request, name, lines, earlier, last if more else None, last, from_first=True)
        lines = lines[-PAGE:]
        last = lines[-1].seq if lines else 0
        later = None if before is None else last or max(before - 1, 0)
        return await self._chat(request, name, lines, lines[0].seq if more else None, later, last, draft=draft)

    async def _first_on(self, name: str, day: str) -> int | None:
        """The number of the first message since the beginning of a day; C{None} if there is none."""
        try:
            since = time_of(day)
        except ValueError as error:
            raise Problem(http.BAD_REQUEST, sentence(str(error))) from None
        first: int | None = await self._layout.read(self._layout.store.first_since, name, since)
        return first

    async def message(
        self, request: PublicRequest, name: str, seq: str, complaint: Draft = NOTHING, removal: Draft = NOTHING
    ) -> bytes:
        """One message with the messages around it."""
        self._public.channel(name)
        wanted = number_of(seq)
        half = PAGE // 2
        before = list(await self._queries.history(name, half + 1, wanted, None))
        after = list(await self._queries.history(name, half + 1, None, wanted - 1))
        if not after or after[0].seq != wanted:
            raise NotFound("This message does not exist or is no longer kept.")
        lines = [*before[-half:], *after[:half]]
        earlier = lines[0].seq if len(before) > half else None
        last = lines[-1].seq
        later = last if len(after) > half else None
        return await self._chat(
            request, name, lines, earlier, later, last, found=after[0], complaint=complaint, removal=removal
        )

    async def side(self, request: PublicRequest, name: str) -> bytes:
        """What stands beside the talk: the channels, and who is online. A page that is open reads it again."""
        channel = self._public.channel(name)
        return self._layout.page(request, "side.html", fragment=True, channel=channel, **await self._beside(name))

    async def _beside(self, name: str) -> dict[str, Any]:
        channels = (await self._queries.channels()).channels
        said = self._layout.gossip.network.registry.last_said
        return {
            "channels": [_ListedChannel(each.name, said.get(each.name)) for each in channels[:LISTED]],
            "more_channels": len(channels) > LISTED,
            "listening": _listening((await self._queries.games()).games, name),
        }

    def _silence(self, request: PublicRequest, channel: Channel) -> Markup | None:
        """Why whoever looks at the page cannot speak there; C{None} if they can, or are not signed in."""
        gossip, account = self._layout.gossip, self._layout.account(request)
        if account is None:
            return None
        try:
            gossip.network.people.check(account.name, self._layout.peer(request), channel.name, gossip.now())
        except Denied as denied:
            match denied.error.code:
                case "channel-paused" if channel.paused_until is not None:
                    text = Markup("This channel is paused: nobody can send messages until {}.")
                    return text.format(time_tag(channel.paused_until))
                case "not-allowed-to-speak":
                    return Markup("Only some games can send messages on this channel.")
            return Markup("You cannot send messages here: {}.").format(localised(denied.error.text))
        return None

    async def _chat(
        self,
        request: PublicRequest,
        name: str,
        lines: Sequence[MessageSaid],
        earlier: int | None,
        later: int | None,
        last: int,
        found: MessageSaid | None = None,
        draft: Draft = NOTHING,
        complaint: Draft = NOTHING,
        removal: Draft = NOTHING,
        from_first: bool = False,
    ) -> bytes:
        """
        @param earlier: the number that the older page ends before; C{None} if there is no older page.
        @param later: the number that the newer page starts after; C{None} if this is the latest page.
        @param last: the number after which the page follows new messages.
        @param from_first: the page is read from its first message on, and not from its last.
        """
        beside = await self._beside(name)
        channel = self._public.channel(name)
        why_silent = self._silence(request, channel)
        return self._layout.page(
            request,
            "chat.html",
            max(draft.code, complaint.code, removal.code),
            title=f"#{name}",
            description=self._about(channel, found),
            channel=channel,
            described_by=public_author(channel.described_by),
            lines=lines,
            earlier=earlier,
            later=later,
            last=last,
            found=found,
            draft=draft,
            complaint=complaint,
            removal=removal,
            from_first=from_first,
            reported=number_parameter(request, "reported") is not None,
            is_game=self._public.is_game,
            why_silent=why_silent,
            may_speak=why_silent is None and self._layout.account(request) is not None,
            reply=(parameter(request, "reply") or "")[:REPLY],
            **beside,
        )

    def _about(self, channel: Channel, found: MessageSaid | None) -> str:
        """What a link leads to: one message, or the channel."""
        if found is not None and found.removed is None:
            return spoken(found.name, found.game, found.message)
        return (
            channel.description or f"The channel {channel.name} of {self._layout.name}: players of all games talk here."
        )

    # Live messages.

    def follow(self, request: PublicRequest, name: str) -> bytes | int:
        """The messages of a channel as they are said."""
        self._public.channel(name)

        def history(limit: int) -> Deferred[Sequence[MessageSaid]]:
            return self._layout.read(self._layout.store.history, name, limit, None, after)

        after = _after(request)
        return self._live.follow(request, self._layout.peer(request), name, after, history, _since(request))

    def follow_all(self, request: PublicRequest) -> bytes | int:
        """The messages of all public channels as they are said."""

        def history(limit: int) -> Deferred[Sequence[MessageSaid]]:
            # The page skips the ones it has.
            return Deferred.fromCoroutine(self._queries.latest(LINES))

        peer = self._layout.peer(request)
        return self._live.follow(request, peer, None, _after(request), history, _since(request))

    def follow_removals(self, request: PublicRequest) -> bytes | int:
        """
        What is removed, for pages that show messages and wait for no new ones: on public channels, and on all those
        that the account moderates.
        """
        registry, account = self._layout.gossip.network.registry, self._layout.account(request)

        def sees(name: str) -> bool:
            channel = registry.channels.get(name)
            if channel is None:
                return False
            return not channel.hidden or (account is not None and moderates(registry, account.name, name))

        return self._live.follow_removals(request, self._layout.peer(request), sees, _since(request))

    async def feed(self, request: PublicRequest, name: str) -> bytes:
        """The latest messages of a channel as an Atom feed."""
        channel = self._public.channel(name)
        lines = await self._queries.history(name, FEED)
        body = atom(self._layout.name, channel, lines, site_address(request) or "http://localhost", self._layout.now)
        request.setHeader(b"Access-Control-Allow-Origin", b"*")
        return answer_cached(request, body, b"application/atom+xml; charset=utf-8", 60)


def _listening(games: Sequence[PublicGame], channel: str) -> _Listening:
    found = [game for game in games if game.online and channel in game.channels]
    return _Listening(found[:GAMES], len(found), sum(game.players_online_count for game in found))


def number_of(seq: str) -> int:
    """
    The number of a message in a path.

    @raise NotFound: it is not a number.
    """
    if not re.fullmatch("[0-9]{1,16}", seq):
        raise NotFound
    return int(seq)


def _since(request: PublicRequest) -> float | None:
    """When the page of a browser was made."""
    since = number_parameter(request, "since")
    return None if since is None else since / 1000


def _after(request: PublicRequest) -> int | None:
    """The number of the last message that a browser has: in a header if it reconnects, otherwise in the query."""
    last = request.getHeader(b"last-event-id") or b""
    if re.fullmatch(rb"[0-9]{1,16}", last):
        return int(last)
    return number_parameter(request, "after")
