"""Operations on games. A game is named by its short name or by its client_id."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from gossip.operations.accounts import find_account
from gossip.operations.operation import Done, Occasion, Operation, Result, find_game, given_or
from gossip.protocol.events import GameConnection
from gossip.protocol.text import timestamp
from gossip.registry.changes import (
    Game,
    GameRemoved,
    GameSaved,
    Secret,
)
from gossip.registry.registry import Registry
from gossip.registry.secret import digest, old_secret_until, rotated

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
                name=given_or(self.name, game.name),
                hidden=given_or(self.hidden, game.hidden),
                hides_players=given_or(self.hide_players, game.hides_players),
                tagline=given_or(self.tagline, game.tagline) or None,
                description=given_or(self.description, game.description) or None,
                homepage_url=given_or(self.homepage_url, game.homepage_url) or None,
                connections=given_or(self.connections, game.connections),
                owner=find_account(registry, owner).name if (owner := given_or(self.owner, game.owner)) else None,
            ),
            on.now,
        )


# Channels.


# Code bases.


# What the operations have in common.


def _saved(registry: Registry, known: Game, game: Game, now: float) -> Done:
    return None if game == known else GameSaved(game), _game(registry, game, now)


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
    until = old_secret_until(game, now)
    return None if until is None else timestamp(until)
