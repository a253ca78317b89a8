"""What an admin can do with games, channels and code bases; and all operations by their names."""

from __future__ import annotations

import re
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from gossip.network.presence import NETWORK_GAME
from gossip.operations import accounts, moderation
from gossip.operations.accounts import find_account
from gossip.operations.operation import Done, Occasion, Operation, Result, find_channel, find_game, find_speaker
from gossip.protocol.events import GameConnection
from gossip.protocol.text import clean, timestamp
from gossip.registry.changes import (
    Channel,
    ChannelSaved,
    Game,
    GameRemoved,
    GameSaved,
    Secret,
    UserAgent,
    UserAgentSaved,
)
from gossip.registry.registry import Refused, Registry, rotated
from gossip.registry.secret import digest

Value = TypeVar("Value")

PAUSE: Final = 30
"""For how many minutes a channel is paused, unless said otherwise."""

_SPEAKERS: Final = 1000
_YEAR: Final = 366 * 24 * 60
_TEXT, _URL, _USER_AGENT = 2000, 500, 200
_WEB_ADDRESS: Final = re.compile(r"https?://[!-~]+", re.IGNORECASE)


# Games. One is named by its short name, or by its client_id.


class GameAdd(Operation, frozen=True):
    """Register a game. Its secret is shown here and never again: only a digest of it is kept."""

    wire = "game/add"

    name: str
    short_name: str
    hidden: bool = False
    hide_players: bool = False
    tagline: str | None = None
    description: str | None = None
    homepage_url: str | None = None
    connections: tuple[GameConnection, ...] = ()
    owner: str | None = None

    def perform(self, registry: Registry, on: Occasion) -> Done:
        secret = on.new_uuid()
        game = Game(
            client_id=on.new_uuid(),
            short_name=self.short_name,
            name=self.name,
            secrets=(Secret(digest(secret)),),
            hidden=self.hidden,
            hides_players=self.hide_players,
            tagline=self.tagline or None,
            description=self.description or None,
            homepage_url=self.homepage_url or None,
            connections=self.connections,
            created_at=on.now,
            owner=find_account(registry, self.owner).name if self.owner else None,
        )
        return GameSaved(game), _credentials(game, secret)


class GameList(Operation, frozen=True):
    """All games."""

    wire = "game/list"

    def perform(self, registry: Registry, on: Occasion) -> Done:
        games = sorted(registry.games.values(), key=lambda game: game.short_name.lower())
        return None, {"games": [_game(registry, game, on.now) for game in games]}


class GameShow(Operation, frozen=True):
    """One game."""

    wire = "game/show"

    game: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return None, _game(registry, find_game(registry, self.game), on.now)


class GameRotate(Operation, frozen=True):
    """Give a game a new secret; the old one works beside it for a day."""

    wire = "game/rotate"

    game: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        secret = on.new_uuid()
        game = rotated(find_game(registry, self.game), secret, on.now)
        return GameSaved(game), {**_credentials(game, secret), "old_secret_until": _old_secret_until(game, on.now)}


class GameDisable(Operation, frozen=True):
    """A game may no longer join; its sessions end."""

    wire = "game/disable"

    game: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        game = find_game(registry, self.game)
        return _saved(registry, game, replace(game, disabled=True), on.now)


class GameEnable(Operation, frozen=True):
    """A game may join again."""

    wire = "game/enable"

    game: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        game = find_game(registry, self.game)
        return _saved(registry, game, replace(game, disabled=False), on.now)


class GameRemove(Operation, frozen=True):
    """Forget a game and its achievements; its sessions end, what it said stays."""

    wire = "game/remove"

    game: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        game = find_game(registry, self.game)
        return GameRemoved(game.client_id), _game(registry, game, on.now)


class GameEdit(Operation, frozen=True):
    """Change what is known of a game. What is not given stays; an empty text is none."""

    wire = "game/edit"

    game: str
    name: str | UnsetType = UNSET
    hidden: bool | UnsetType = UNSET
    hide_players: bool | UnsetType = UNSET
    tagline: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    homepage_url: str | UnsetType | None = UNSET
    connections: tuple[GameConnection, ...] | UnsetType = UNSET
    owner: str | UnsetType | None = UNSET

    def perform(self, registry: Registry, on: Occasion) -> Done:
        game = find_game(registry, self.game)
        return _saved(
            registry,
            game,
            replace(
                game,
                name=_or(self.name, game.name),
                hidden=_or(self.hidden, game.hidden),
                hides_players=_or(self.hide_players, game.hides_players),
                tagline=_or(self.tagline, game.tagline) or None,
                description=_or(self.description, game.description) or None,
                homepage_url=_or(self.homepage_url, game.homepage_url) or None,
                connections=_or(self.connections, game.connections),
                owner=find_account(registry, owner).name if (owner := _or(self.owner, game.owner)) else None,
            ),
            on.now,
        )


# Channels.


class ChannelList(Operation, frozen=True):
    """All channels, the hidden ones too."""

    wire = "channel/list"

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channels = sorted(registry.channels.values(), key=lambda channel: (channel.name.lower(), channel.name))
        return None, {"channels": [_channel(registry, channel, on.now) for channel in channels]}


class ChannelCreate(Operation, frozen=True):
    """Make a channel that people see; one that a game makes by subscribing is hidden."""

    wire = "channel/create"

    channel: str
    description: str | None = None

    def perform(self, registry: Registry, on: Occasion) -> Done:
        if self.channel in registry.channels:
            raise Refused(f"the channel {self.channel} exists already")
        channel = Channel(self.channel, hidden=False, description=_text(self.description))
        return ChannelSaved(channel), _channel(registry, channel, on.now)


class ChannelShow(Operation, frozen=True):
    """People see a channel from now on."""

    wire = "channel/show"

    channel: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channel = find_channel(registry, self.channel)
        return _changed(registry, channel, replace(channel, hidden=False), on.now)


class ChannelHide(Operation, frozen=True):
    """People no longer see a channel; games hear it all the same."""

    wire = "channel/hide"

    channel: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channel = find_channel(registry, self.channel)
        return _changed(registry, channel, replace(channel, hidden=True), on.now)


class ChannelPause(Operation, frozen=True):
    """Nobody may speak on a channel for a while."""

    wire = "channel/pause"

    channel: str
    minutes: Annotated[float, Meta(gt=0, le=_YEAR)] = PAUSE

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channel = find_channel(registry, self.channel)
        return _changed(registry, channel, replace(channel, paused_until=on.now + self.minutes * 60), on.now)


class ChannelResume(Operation, frozen=True):
    """The pause of a channel is over."""

    wire = "channel/resume"

    channel: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channel = find_channel(registry, self.channel)
        return _changed(registry, channel, replace(channel, paused_until=None), on.now)


class ChannelDescribe(Operation, frozen=True):
    """Say what a channel is for; an empty text is none."""

    wire = "channel/describe"

    channel: str
    description: str | None

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channel = find_channel(registry, self.channel)
        return _changed(registry, channel, replace(channel, description=_text(self.description)), on.now)


class ChannelSpeakers(Operation, frozen=True):
    """
    Let only some games speak on a channel, none but the network itself, or, with C{games} null, all of them. People on
    the pages are the game C{gossip}.
    """

    wire = "channel/speakers"

    channel: str
    games: Annotated[tuple[str, ...], Meta(max_length=_SPEAKERS)] | None

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channel = find_channel(registry, self.channel)
        games = None if self.games is None else frozenset(find_speaker(registry, game) for game in self.games)
        return _changed(registry, channel, replace(channel, speakers=games), on.now)


# Code bases.


class AgentList(Operation, frozen=True):
    """All code bases that games have named."""

    wire = "agent/list"

    def perform(self, registry: Registry, on: Occasion) -> Done:
        agents = sorted(registry.user_agents.values(), key=lambda agent: (agent.name.lower(), agent.name))
        return None, {"agents": [msgspec.to_builtins(agent) for agent in agents]}


class AgentSet(Operation, frozen=True):
    """Say where the home of a code base is. What is not given stays; an empty address is none."""

    wire = "agent/set"

    agent: str
    url: str | UnsetType | None = UNSET
    repo_url: str | UnsetType | None = UNSET

    def perform(self, registry: Registry, on: Occasion) -> Done:
        if not 1 <= len(self.agent) <= _USER_AGENT or clean(self.agent) != self.agent:
            raise Refused(f"a code base's name has 1 to {_USER_AGENT} characters, without control characters and tags")
        known = registry.user_agents.get(self.agent) or UserAgent(self.agent)
        agent = UserAgent(self.agent, _address(_or(self.url, known.url)), _address(_or(self.repo_url, known.repo_url)))
        same = registry.user_agents.get(self.agent) == agent
        return None if same else UserAgentSaved(agent), msgspec.to_builtins(agent)


_ALL: Final[tuple[type[Operation], ...]] = (
    GameAdd,
    GameList,
    GameShow,
    GameRotate,
    GameDisable,
    GameEnable,
    GameRemove,
    GameEdit,
    ChannelList,
    ChannelCreate,
    ChannelShow,
    ChannelHide,
    ChannelPause,
    ChannelResume,
    ChannelDescribe,
    ChannelSpeakers,
    AgentList,
    AgentSet,
    *moderation.OPERATIONS,
    *accounts.OPERATIONS,
)

OPERATIONS: Final = {operation.wire: operation for operation in _ALL}
"""All operations by their names."""


# What the operations have in common.


def _or(given: Value | UnsetType, known: Value) -> Value:
    return known if isinstance(given, UnsetType) else given


def _saved(registry: Registry, known: Game, game: Game, now: float) -> Done:
    return None if game == known else GameSaved(game), _game(registry, game, now)


def _changed(registry: Registry, known: Channel, channel: Channel, now: float) -> Done:
    return None if channel == known else ChannelSaved(channel), _channel(registry, channel, now)


def _text(text: str | None) -> str | None:
    if text is not None and (len(text) > _TEXT or clean(text) != text):
        raise Refused(f"a description has up to {_TEXT} characters, without control characters and tags")
    return text or None


def _address(url: str | None) -> str | None:
    if url and not (len(url) <= _URL and _WEB_ADDRESS.fullmatch(url)):
        raise Refused(f"a web address starts with http:// or https:// and has up to {_URL} characters")
    return url or None


# What the admin is told. Digests of secrets are nobody's business.


def _credentials(game: Game, secret: str) -> Result:
    return {
        "name": game.name,
        "short_name": game.short_name,
        "client_id": game.client_id,
        "client_secret": secret,
    }


def _game(registry: Registry, game: Game, now: float) -> Result:
    seen = registry.seen.get(game.client_id)
    return {
        "name": game.name,
        "short_name": game.short_name,
        "client_id": game.client_id,
        "hidden": game.hidden,
        "hide_players": game.hides_players,
        "disabled": game.disabled,
        "tagline": game.tagline,
        "description": game.description,
        "homepage_url": game.homepage_url,
        "connections": [msgspec.to_builtins(connection) for connection in game.connections],
        "created_at": timestamp(game.created_at),
        "owner": game.owner,
        "old_secret_until": _old_secret_until(game, now),
        "user_agent": seen.user_agent if seen else None,
        "version": seen.version if seen else None,
    }


def _old_secret_until(game: Game, now: float) -> str | None:
    ends = [secret.expires for secret in game.secrets if secret.expires is not None and secret.expires > now]
    return timestamp(max(ends)) if ends else None


def _channel(registry: Registry, channel: Channel, now: float) -> Result:
    until, speakers = channel.paused_until, channel.speakers
    games = None
    if speakers is not None:
        games = [registry.games[each].short_name for each in speakers if each in registry.games]
        games += [NETWORK_GAME] if NETWORK_GAME in speakers else []
    return {
        "name": channel.name,
        "hidden": channel.hidden,
        "paused_until": timestamp(until) if until is not None and until > now else None,
        "description": channel.description,
        "speakers": None if games is None else sorted(games),
    }
