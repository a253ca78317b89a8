"""
What an admin can do: each operation is its arguments, and what they make of what is known.

The running daemon carries operations out for its admin API, and gossipctl does when no daemon runs: both by this code.
An operation changes nothing itself; it returns the change that is to be kept, and what the admin is told when it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Final, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from gossip.network.changes import (
    Change,
    Channel,
    ChannelSaved,
    Game,
    GameRemoved,
    GameSaved,
    Secret,
    UserAgent,
    UserAgentSaved,
)
from gossip.network.events import GameConnection
from gossip.network.registry import Refused, Registry, digest, rotated
from gossip.network.tells import timestamp
from gossip.network.text import clean

Result = dict[str, Any]
"""What the admin is told: an object of JSON."""

Done = tuple[Change | None, Result]
"""What is to be kept, C{None} if nothing; and what the admin is told when it is."""

Arguments = TypeVar("Arguments", bound=Struct)
Value = TypeVar("Value")

PAUSE: Final = 30
"""For how many minutes a channel is paused, unless said otherwise."""

_YEAR: Final = 366 * 24 * 60
_TEXT, _URL, _USER_AGENT = 2000, 500, 200
_WEB_ADDRESS: Final = re.compile(r"https?://[!-~]+", re.IGNORECASE)


class Operation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    Something that an admin can do; its fields are the arguments.

    @cvar wire: its name: the path in the admin API, without the first slash.
    """

    wire: ClassVar[str]

    def perform(self, registry: Registry, now: float, new_uuid: Callable[[], str]) -> Done:
        """
        What does it come to? Nothing is changed.

        @param now: seconds since the epoch.
        @param new_uuid: makes version 4 UUIDs, for identities and secrets.
        @raise Refused: it cannot be done; the text says why.
        """
        raise NotImplementedError


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

    def perform(self, registry: Registry, now: float, new_uuid: Callable[[], str]) -> Done:
        secret = new_uuid()
        game = Game(
            client_id=new_uuid(),
            short_name=self.short_name,
            name=self.name,
            secrets=(Secret(digest(secret)),),
            hidden=self.hidden,
            hides_players=self.hide_players,
            tagline=self.tagline or None,
            description=self.description or None,
            homepage_url=self.homepage_url or None,
            connections=self.connections,
            created_at=now,
        )
        return GameSaved(game), _credentials(game, secret)


class GameList(Operation, frozen=True):
    """All games."""

    wire = "game/list"

    def perform(self, registry: Registry, now: float, new_uuid: Callable[[], str]) -> Done:
        games = sorted(registry.games.values(), key=lambda game: game.short_name.lower())
        return None, {"games": [_game(registry, game, now) for game in games]}


class GameShow(Operation, frozen=True):
    """One game."""

    wire = "game/show"

    game: str

    def perform(self, registry: Registry, now: float, new_uuid: Callable[[], str]) -> Done:
        return None, _game(registry, _find_game(registry, self.game), now)


class GameRotate(Operation, frozen=True):
    """Give a game a new secret; the old one works beside it for a day."""

    wire = "game/rotate"

    game: str

    def perform(self, registry: Registry, now: float, new_uuid: Callable[[], str]) -> Done:
        secret = new_uuid()
        game = rotated(_find_game(registry, self.game), secret, now)
        return GameSaved(game), {**_credentials(game, secret), "old_secret_until": _old_secret_until(game, now)}


class GameDisable(Operation, frozen=True):
    """A game may no longer join; its sessions end."""

    wire = "game/disable"

    game: str

    def perform(self, registry: Registry, now: float, new_uuid: Callable[[], str]) -> Done:
        game = _find_game(registry, self.game)
        return _saved(registry, game, replace(game, disabled=True), now)


class GameEnable(Operation, frozen=True):
    """A game may join again."""

    wire = "game/enable"

    game: str

    def perform(self, registry: Registry, now: float, new_uuid: Callable[[], str]) -> Done:
        game = _find_game(registry, self.game)
        return _saved(registry, game, replace(game, disabled=False), now)


class GameRemove(Operation, frozen=True):
    """Forget a game and its achievements; its sessions end, what it said stays."""

    wire = "game/remove"

    game: str

    def perform(self, registry: Registry, now: float, new_uuid: Callable[[], str]) -> Done:
        game = _find_game(registry, self.game)
        return GameRemoved(game.client_id), _game(registry, game, now)


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

    def perform(self, registry: Registry, now: float, new_uuid: Callable[[], str]) -> Done:
        game = _find_game(registry, self.game)
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
            ),
            now,
        )


# Channels.


class ChannelList(Operation, frozen=True):
    """All channels, the hidden ones too."""

    wire = "channel/list"

    def perform(self, registry: Registry, now: float, new_uuid: Callable[[], str]) -> Done:
        channels = sorted(registry.channels.values(), key=lambda channel: (channel.name.lower(), channel.name))
        return None, {"channels": [_channel(channel, now) for channel in channels]}


class ChannelCreate(Operation, frozen=True):
    """Make a channel that people see; one that a game makes by subscribing is hidden."""

    wire = "channel/create"

    channel: str
    description: str | None = None

    def perform(self, registry: Registry, now: float, new_uuid: Callable[[], str]) -> Done:
        if self.channel in registry.channels:
            raise Refused(f"the channel {self.channel} exists already")
        channel = Channel(self.channel, hidden=False, description=_text(self.description))
        return ChannelSaved(channel), _channel(channel, now)


class ChannelShow(Operation, frozen=True):
    """People see a channel from now on."""

    wire = "channel/show"

    channel: str

    def perform(self, registry: Registry, now: float, new_uuid: Callable[[], str]) -> Done:
        channel = _find_channel(registry, self.channel)
        return _changed(channel, replace(channel, hidden=False), now)


class ChannelHide(Operation, frozen=True):
    """People no longer see a channel; games hear it all the same."""

    wire = "channel/hide"

    channel: str

    def perform(self, registry: Registry, now: float, new_uuid: Callable[[], str]) -> Done:
        channel = _find_channel(registry, self.channel)
        return _changed(channel, replace(channel, hidden=True), now)


class ChannelPause(Operation, frozen=True):
    """Nobody may speak on a channel for a while."""

    wire = "channel/pause"

    channel: str
    minutes: Annotated[float, Meta(gt=0, le=_YEAR)] = PAUSE

    def perform(self, registry: Registry, now: float, new_uuid: Callable[[], str]) -> Done:
        channel = _find_channel(registry, self.channel)
        return _changed(channel, replace(channel, paused_until=now + self.minutes * 60), now)


class ChannelResume(Operation, frozen=True):
    """The pause of a channel is over."""

    wire = "channel/resume"

    channel: str

    def perform(self, registry: Registry, now: float, new_uuid: Callable[[], str]) -> Done:
        channel = _find_channel(registry, self.channel)
        return _changed(channel, replace(channel, paused_until=None), now)


class ChannelDescribe(Operation, frozen=True):
    """Say what a channel is for; an empty text is none."""

    wire = "channel/describe"

    channel: str
    description: str | None

    def perform(self, registry: Registry, now: float, new_uuid: Callable[[], str]) -> Done:
        channel = _find_channel(registry, self.channel)
        return _changed(channel, replace(channel, description=_text(self.description)), now)


# Code bases.


class AgentList(Operation, frozen=True):
    """All code bases that games have named."""

    wire = "agent/list"

    def perform(self, registry: Registry, now: float, new_uuid: Callable[[], str]) -> Done:
        agents = sorted(registry.user_agents.values(), key=lambda agent: (agent.name.lower(), agent.name))
        return None, {"agents": [msgspec.to_builtins(agent) for agent in agents]}


class AgentSet(Operation, frozen=True):
    """Say where the home of a code base is. What is not given stays; an empty address is none."""

    wire = "agent/set"

    agent: str
    url: str | UnsetType | None = UNSET
    repo_url: str | UnsetType | None = UNSET

    def perform(self, registry: Registry, now: float, new_uuid: Callable[[], str]) -> Done:
        if not 1 <= len(self.agent) <= _USER_AGENT or clean(self.agent) != self.agent:
            raise Refused(f"a code base's name has 1 to {_USER_AGENT} characters, without control characters and tags")
        known = registry.user_agents.get(self.agent) or UserAgent(self.agent)
        agent = UserAgent(self.agent, _address(_or(self.url, known.url)), _address(_or(self.repo_url, known.repo_url)))
        same = registry.user_agents.get(self.agent) == agent
        return None if same else UserAgentSaved(agent), msgspec.to_builtins(agent)


OPERATIONS: Final[dict[str, type[Operation]]] = {
    operation.wire: operation
    for operation in (
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
        AgentList,
        AgentSet,
    )
}
"""All operations by their names."""


def read(arguments: bytes, struct: type[Arguments]) -> Arguments:
    """
    Read arguments, which are an object of JSON; nothing at all is an empty one.

    @raise Refused: they are not what they must be; the text says which, and why.
    """
    try:
        return msgspec.json.decode(arguments or b"{}", type=struct)
    except msgspec.ValidationError as error:
        # msgspec says: Expected `int`, got `str` - at `$.minutes`
        what, _, where = str(error).replace("`", "").partition(" - at $.")
        what = what[:1].lower() + what[1:]
        raise Refused(f"{where}: {what}" if where else what) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused("the arguments must be an object of JSON") from None


# What the operations have in common.


def _or(given: Value | UnsetType, known: Value) -> Value:
    return known if isinstance(given, UnsetType) else given


def _find_game(registry: Registry, named: str) -> Game:
    game = registry.game_named(named) or registry.games.get(named.lower())
    if game is None:
        raise Refused("no such game")
    return game


def _find_channel(registry: Registry, name: str) -> Channel:
    channel = registry.channels.get(name)
    if channel is None:
        raise Refused("no such channel")
    return channel


def _saved(registry: Registry, known: Game, game: Game, now: float) -> Done:
    return None if game == known else GameSaved(game), _game(registry, game, now)


def _changed(known: Channel, channel: Channel, now: float) -> Done:
    return None if channel == known else ChannelSaved(channel), _channel(channel, now)


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
        "old_secret_until": _old_secret_until(game, now),
        "user_agent": seen.user_agent if seen else None,
        "version": seen.version if seen else None,
    }


def _old_secret_until(game: Game, now: float) -> str | None:
    ends = [secret.expires for secret in game.secrets if secret.expires is not None and secret.expires > now]
    return timestamp(max(ends)) if ends else None


def _channel(channel: Channel, now: float) -> Result:
    until = channel.paused_until
    return {
        "name": channel.name,
        "hidden": channel.hidden,
        "paused_until": timestamp(until) if until is not None and until > now else None,
        "description": channel.description,
    }
