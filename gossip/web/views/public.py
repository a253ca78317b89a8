"""
The public view of the network: games, channels and players without the hidden ones.

Pages and the API for everybody use this view, and nothing else of the registry.
"""

from __future__ import annotations

from msgspec import Struct

from gossip.network.network import Network
from gossip.protocol.events import AchievementOf, GameConnection
from gossip.protocol.flags import FLAGS
from gossip.registry.changes import Channel, Game, MessageSaid
from gossip.web.http.router import NotFound
from gossip.web.views.formatting import iso, web_address


class PublicGame(Struct, frozen=True, kw_only=True):
    """
    A game.

    @ivar game: its short name.
    @ivar players: the names of its players; empty if it hides them.
    @ivar user_agent: the code base that it last connected with.
    """

    game: str
    display_name: str
    tagline: str | None
    description: str | None
    homepage_url: str | None
    connections: tuple[GameConnection, ...]
    user_agent: str | None
    user_agent_url: str | None
    online: bool
    shows_players: bool
    players_online_count: int
    players: tuple[str, ...]
    supports: tuple[str, ...]
    channels: tuple[str, ...]


class PublicAchievement(Struct, frozen=True):
    """An achievement of a game."""

    title: str
    description: str | None
    points: int


class PublicChannel(Struct, frozen=True):
    """A channel; C{listening} is the number of games that listen now."""

    name: str
    description: str | None
    paused_until: str | None
    listening: int


class PublicMessage(Struct, frozen=True):
    """A message; C{seq} is its number in the channel."""

    channel: str
    seq: int
    game: str
    name: str
    message: str
    said_at: str


class PublicView:
    """The public view of a network."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def registered(self) -> list[Game]:
        """The public games, as they are registered."""
        games = self._network.registry.games.values()
        return [game for game in games if not game.hidden and not game.disabled]

    def counted(self) -> dict[str, str]:
        """The public games that show their players: short name by client_id."""
        return {game.client_id: game.short_name for game in self.registered() if not game.hides_players}

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

    def games(self) -> list[PublicGame]:
        """All games: those online first, then by number of players."""
        games = [self.game(game) for game in self.registered()]
        return sorted(games, key=lambda game: (not game.online, -game.players_online_count, game.game.lower()))

    def game(self, game: Game) -> PublicGame:
        """The public view of a game."""
        registry, statuses = self._network.registry, self._network.statuses
        online = self._network.presence.online(game.client_id)
        seen = registry.seen.get(game.client_id)
        agent = registry.user_agents.get(seen.user_agent) if seen and seen.user_agent else None
        status = statuses.status_of(online) if online else None
        players = statuses.players_of(online).players if online else ()
        return PublicGame(
            game=game.short_name,
            display_name=game.name,
            tagline=game.tagline,
            description=game.description,
            homepage_url=web_address(game.homepage_url),
            connections=tuple(each for each in game.connections if web_address(getattr(each, "url", "http://x"))),
            user_agent=seen.user_agent if seen else None,
            user_agent_url=web_address(agent and (agent.url or agent.repo_url)),
            online=online is not None,
            shows_players=not game.hides_players,
            players_online_count=len(players),
            players=tuple(sorted(players, key=str.lower)),
            supports=tuple(flag for flag in FLAGS if flag in status.supports) if status else (),
            channels=status.channels if status else (),
        )

    def achievements(self, game: Game) -> list[PublicAchievement]:
        """The achievements that a game displays, by title."""
        known: list[AchievementOf] = sorted(
            self._network.registry.achievements.get(game.client_id, {}).values(), key=lambda each: each.title
        )
        return [PublicAchievement(each.title, each.description, each.points) for each in known if each.display]

    def channels(self) -> list[PublicChannel]:
        """All channels, by name."""
        channels = sorted(self._network.registry.channels.values(), key=lambda channel: channel.name.lower())
        listening: dict[str, int] = {}
        for online in self._network.presence:
            for name in online.channels:
                listening[name] = listening.get(name, 0) + 1
        return [self._channel(channel, listening.get(channel.name, 0)) for channel in channels if not channel.hidden]

    def channel(self, name: str) -> Channel:
        """
        A public channel, as it is registered.

        @raise NotFound: there is no such channel.
        """
        channel = self._network.registry.channels.get(name)
        if channel is None or channel.hidden:
            raise NotFound("There is no such channel.")
        return channel

    def channel_names(self) -> tuple[str, ...]:
        """The names of all channels."""
        return tuple(sorted(name for name, channel in self._network.registry.channels.items() if not channel.hidden))

    def _channel(self, channel: Channel, listening: int) -> PublicChannel:
        until = channel.paused_until
        return PublicChannel(channel.name, channel.description, None if until is None else iso(until), listening)


def public_message(said: MessageSaid) -> PublicMessage:
    """The public view of a message."""
    return PublicMessage(said.channel, said.seq, said.game, said.name, said.message, iso(said.said_at))
