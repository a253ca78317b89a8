"""
The public view of the network: games, channels and players without the hidden ones.

Pages and the API for everybody use this view, and nothing else of the registry.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Iterable
from itertools import takewhile
from typing import Final

from msgspec import Struct

from gossip.network.network import Network
from gossip.operations.listing import SLICE, in_order
from gossip.protocol.flags import FLAGS
from gossip.protocol.server_events import AchievementOf, GameConnection
from gossip.registry.changes import MessageSaid
from gossip.registry.entities import Channel, Game
from gossip.web.http.router import NotFound
from gossip.web.views.formatting import iso, web_address

MAIN_CHANNEL: Final = "gossip"
"""The channel on which people talk, on most networks."""

_VERSION: Final = re.compile(r"[(\[]|v?[0-9]", re.IGNORECASE)

COMMON: Final = 50
"""The maximum number of code bases or languages to choose from."""


# A list has thousands of these, and there are no cycles: the garbage collector would hold everybody up for them.
class PublicGame(Struct, frozen=True, kw_only=True, gc=False):
    """
    A game.

    @ivar game: its short name.
    @ivar players: the names of its players; empty if it hides them.
    @ivar user_agent: the code base that it last connected with.
    @ivar last_seen_at: when its last session ended; null while it is online, or if it never was.
    @ivar transports: what its sessions are connected by, such as C{websocket} and C{imc2}.
    """

    game: str
    display_name: str
    tagline: str | None
    description: str | None
    language: str | None
    homepage_url: str | None
    connections: tuple[GameConnection, ...]
    user_agent: str | None
    user_agent_url: str | None
    online: bool
    last_seen_at: str | None
    shows_players: bool
    players_online_count: int
    players: tuple[str, ...]
    supports: tuple[str, ...]
    channels: tuple[str, ...]
    transports: tuple[str, ...]


class PublicAchievement(Struct, frozen=True):
    """An achievement of a game."""

    title: str
    description: str | None
    points: int


class PublicChannel(Struct, frozen=True, gc=False):
    """
    A channel.

    @ivar described_by: the account that wrote the description; C{None} if nobody did, or somebody in a terminal.
    @ivar described_at: when it was written.
    @ivar listening: the number of games that listen now.
    """

    name: str
    description: str | None
    described_by: str | None
    described_at: str | None
    paused_until: str | None
    listening: int


class PublicMessage(Struct, frozen=True):
    """
    A message.

    @ivar seq: its number in the channel.
    @ivar removed: why it was removed; null if it was not. C{name} and C{message} of a removed one are empty.
    """

    channel: str
    seq: int
    game: str
    name: str
    message: str
    said_at: str
    removed: str | None


class PublicGames(Struct, frozen=True):
    """
    All games: those online first, then by number of players.

    @ivar online: how many of them are online.
    @ivar players: how many players they have together.
    @ivar bases: how many of those online have each code base; versions count together.
    @ivar code_bases: the most common code bases of all games, by name.
    @ivar languages: the most common languages of all games, by name.
    """

    games: list[PublicGame]
    online: int
    players: int
    bases: dict[str, int]
    code_bases: list[str]
    languages: list[str]


class PublicChannels(Struct, frozen=True):
    """All channels, by name."""

    channels: list[PublicChannel]


class PublicView:
    """The public view of a network. There can be very many games and channels: lists of all are made in slices."""

    def __init__(self, network: Network) -> None:
        self._network = network

    @property
    def few(self) -> bool:
        """Whether all games and all channels fit into a slice each."""
        registry = self._network.registry
        return len(registry.games) <= SLICE and len(registry.channels) <= SLICE

    def counted(self, games: Iterable[PublicGame]) -> dict[str, str]:
        """Those of some games that show their players: short name by client_id."""
        known = (self._network.registry.game_named(game.game) for game in games if game.shows_players)
        return {game.client_id: game.short_name for game in known if game is not None}

    def registered_as(self, name: str) -> Game:
        """
        A public game by its short name.

        @raise NotFound: there is no such game.
        """
        game = self._network.registry.game_named(name)
        if game is None or game.hidden or game.disabled:
            raise NotFound("There is no such game.")
        return game

    def is_game(self, name: str) -> bool:
        """Whether there is a public game with this short name."""
        game = self._network.registry.game_named(name)
        return game is not None and not game.hidden and not game.disabled

    def games(self) -> Generator[None, None, PublicGames]:
        """All games."""
        online = players = 0
        bases: Counter[str] = Counter()
        code_bases: Counter[str] = Counter()
        languages: Counter[str] = Counter()

        def show(some: list[Game]) -> list[PublicGame]:
            nonlocal online, players
            shown = [self.game(game) for game in some if not game.hidden and not game.disabled]
            bases.update(base_of(game) or "unknown" for game in shown if game.online)
            code_bases.update(filter(None, map(base_of, shown)))
            languages.update(game.language for game in shown if game.language)
            online += sum(game.online for game in shown)
            players += sum(game.players_online_count for game in shown)
            return shown

        games = yield from in_order(
            self._network.registry.games.values(),
            show,
            lambda game: (not game.online, -game.players_online_count, game.game.lower()),
        )
        return PublicGames(games, online, players, bases, _common(code_bases), _common(languages))

    def remote_games(self) -> list[tuple[str, list[Game]]]:
        """The remote games that are here: the name of each game that they speak through, and they by their names."""
        registry = self._network.registry
        found: dict[str, list[Game]] = {}
        for game in registry.remotes:
            through = registry.games.get(game.through or "")
            if through is not None and not through.hidden:
                found.setdefault(through.name, []).append(game)
        return [(name, sorted(found[name], key=lambda game: game.name.lower())) for name in sorted(found)]

    def game(self, game: Game) -> PublicGame:
        """The public view of a game."""
        registry, statuses = self._network.registry, self._network.statuses
        online = self._network.presence.online(game.client_id)
        seen = registry.seen.get(game.client_id)
        agent = registry.user_agents.get(seen.user_agent) if seen and seen.user_agent else None
        status = statuses.status_of(online) if online else None
        players = statuses.players_of(online).players if online else ()
        last = registry.last_seen.get(game.client_id)
        return PublicGame(
            game=game.short_name,
            display_name=game.name,
            tagline=game.tagline,
            description=game.description,
            language=game.language,
            homepage_url=web_address(game.homepage_url),
            connections=tuple(each for each in game.connections if web_address(getattr(each, "url", "http://x"))),
            user_agent=seen.user_agent if seen else None,
            user_agent_url=web_address(agent and (agent.url or agent.repo_url)),
            online=online is not None,
            last_seen_at=None if online or last is None else iso(last),
            shows_players=not game.hides_players,
            players_online_count=len(players),
            players=tuple(sorted(players, key=str.lower)),
            supports=tuple(flag for flag in FLAGS if flag in status.supports) if status else (),
            channels=status.channels if status else (),
            transports=tuple(sorted({session.transport for session in online.sessions} - {""})) if online else (),
        )

    def achievements(self, game: Game) -> list[PublicAchievement]:
        """The achievements that a game displays: those with the most points first, then by title."""
        known: list[AchievementOf] = sorted(
            self._network.registry.achievements.get(game.client_id, {}).values(),
            key=lambda each: (-each.points, each.title),
        )
        return [PublicAchievement(each.title, each.description, each.points) for each in known if each.display]

    def channels(self) -> Generator[None, None, PublicChannels]:
        """All channels."""
        listening: Counter[str] = Counter()
        # For a remote game, the game that it speaks through listens.
        present = [online for online in self._network.presence if online.game.through is None]
        for start in range(0, len(present), SLICE):
            if start:
                yield
            for online in present[start : start + SLICE]:
                listening.update(iter(online.channels))
        if len(present) > SLICE:
            yield
        channels = yield from in_order(
            self._network.registry.channels.values(),
            lambda some: [self._channel(each, listening[each.name]) for each in some if not each.hidden],
            lambda channel: (channel.name.lower(), channel.name),
        )
        return PublicChannels(channels)

    def channel(self, name: str) -> Channel:
        """
        A public channel, as it is registered.

        @raise NotFound: there is no such channel.
        """
        channel = self._network.registry.channels.get(name)
        if channel is None or channel.hidden:
            raise NotFound("There is no such channel.")
        return channel

    def shows(self, said: MessageSaid) -> bool:
        """Whether a message may be found by everybody: its channel is public, and its game is not hidden."""
        game = None if said.client_id is None else self._network.registry.games.get(said.client_id)
        return self.is_channel(said.channel) and (game is None or not game.hidden)

    def main_channel(self) -> str | None:
        """The public channel to begin with: C{gossip}, or the first by name; C{None} if there is none."""
        if self.is_channel(MAIN_CHANNEL):
            return MAIN_CHANNEL
        return min((each.name for each in self._network.registry.channels.values() if not each.hidden), default=None)

    def is_channel(self, name: str) -> bool:
        """Whether there is a public channel with this name."""
        channel = self._network.registry.channels.get(name)
        return channel is not None and not channel.hidden

    def _channel(self, channel: Channel, listening: int) -> PublicChannel:
        until, at = channel.paused_until, channel.described_at
        return PublicChannel(
            name=channel.name,
            description=channel.description,
            described_by=public_author(channel.described_by),
            described_at=None if at is None else iso(at),
            paused_until=None if until is None else iso(until),
            listening=listening,
        )


def base_of(game: PublicGame) -> str:
    """The code base of a game without its version, at most three words; empty if it is not known."""
    words = (game.user_agent or "").split(maxsplit=3)[:3]
    # What begins with a version is nothing but one.
    named = [*words[:1], *takewhile(lambda word: not _VERSION.match(word), words[1:])]
    return " ".join(named).rstrip(",;:")


def _common(counts: Counter[str]) -> list[str]:
    return sorted((name for name, _ in counts.most_common(COMMON)), key=str.lower)


def public_author(actor: str | None) -> str | None:
    """The public name of whoever did something: users of the machine are nobody's business."""
    return None if actor is None or actor.startswith("unix:") else actor


def public_message(said: MessageSaid) -> PublicMessage:
    """The public view of a message."""
    removed = None if said.removed is None else said.removed.reason
    return PublicMessage(said.channel, said.seq, said.game, said.name, said.message, iso(said.said_at), removed)
