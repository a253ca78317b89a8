"""Operations on games. A game is named by its short name or by its client_id."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from gossip.operations.accounts import find_account
from gossip.operations.command import Argument, Block, Result, Table
from gossip.operations.listing import Listing, rest
from gossip.operations.operation import Done, Occasion, Operation, find_game, given_or, is_terminal
from gossip.protocol.server_events import GameConnection
from gossip.protocol.text import timestamp
from gossip.registry.changes import GameRemoved, GameSaved
from gossip.registry.entities import Game, Secret
from gossip.registry.registry import Registry
from gossip.registry.secret import digest, old_secret_until, rotated


def _telnet(kind: str) -> Callable[[str], object]:
    def read(text: str) -> object:
        host, _, port = text.rpartition(":")
        if not host or not port.isascii() or not port.isdigit():
            raise ValueError(f"{text!r} is not HOST:PORT")
        return {"type": kind, "host": host.removeprefix("[").removesuffix("]"), "port": int(port)}

    return read


def _web(text: str) -> object:
    return {"type": "web", "url": text}


HomepageUrl = Annotated[str, Argument("URL", "--homepage")]
Connections = Annotated[
    tuple[GameConnection, ...],
    Argument("HOST:PORT", "--telnet", read=_telnet("telnet")),
    Argument("HOST:PORT", "--secure-telnet", read=_telnet("secure telnet")),
    Argument("URL", "--web", read=_web),
]


# What people see of results.


def _view_credentials(result: Result) -> Sequence[Block]:
    site = _site(result)
    shown = {
        "client_id": result["client_id"],
        "client_secret": result["client_secret"],
        "connect to": f"ws{site.removeprefix('http')}/socket" if site else None,
        "guide": result["address"] if site else None,
    }
    lines = ["The secret is not shown again. Give all of it to the owner of the game."]
    if until := result.get("old_secret_until"):
        lines.append(f"The old secret works until {until}.")
    return f"{result['name']} ({result['short_name']})", "", shown, "", *lines, *_belongs(result)


def _view_exports(result: Result) -> Sequence[Block]:
    # C{gossipctl talk} finds them in its environment.
    return (f"export GOSSIP_CLIENT_ID={result['client_id']} GOSSIP_CLIENT_SECRET={result['client_secret']}",)


def _view_beside_exports(result: Result) -> Sequence[Block]:
    return f"{result['name']} ({result['short_name']}): its credentials are in this shell.", *_belongs(result)


def _belongs(result: Result) -> Sequence[Block]:
    if "owner" not in result:
        return ()  # from a daemon of an older version
    if result["owner"]:
        change = f"gossipctl game edit {result['short_name']} --owner NAME"
        return (f"It belongs to the account {result['owner']}. To change that: {change}",)
    site = _site(result)
    return (
        f"It belongs to no account yet. An admin can take it{f' at {site}/manage' if site else ' on the web pages'}.",
    )


def _site(result: Result) -> str:
    """The address of the web pages, as far as it is known: whoever carries out the operation adds it to the link."""
    address: str = result.get("address", "")
    return address.removesuffix(result.get("link", ""))


def _view_games(result: Result) -> Sequence[Block]:
    rows = [(game["short_name"], game["name"], _state(game), game["client_id"]) for game in result["games"]]
    return (Table(("SHORT", "NAME", "STATE", "CLIENT ID"), rows, "No game is registered."), *rest(result))


def _view_game(result: Result) -> Sequence[Block]:
    connections = (
        connection["url"] if "url" in connection else f"{connection['type']} {connection['host']} {connection['port']}"
        for connection in result["connections"]
    )
    shown = {
        "name": result["name"],
        "short name": result["short_name"],
        "client_id": result["client_id"],
        "state": _state(result),
        "tagline": result["tagline"],
        "description": result["description"],
        "language": result.get("language"),  # not from a daemon of an older version
        "homepage": result["homepage_url"],
        "connections": ", ".join(connections),
        "code base": result["user_agent"],
        "protocol": result["version"],
        "owner": result["owner"] or "nobody",
        "registered": result["created_at"],
        "old secret until": result["old_secret_until"],
    }
    return (shown,)


def _state(game: Result) -> str:
    states = {"disabled": game["disabled"], "hidden": game["hidden"], "hides players": game["hide_players"]}
    return ", ".join(name for name, is_so in states.items() if is_so) or "open"


class GameAdd(Operation, frozen=True):
    """
    Register a game, and show its secret. Only a digest of the secret is kept, so it cannot be shown again. If you do
    this in a terminal, name no owner, and there is exactly one admin account, the game belongs to that.

    @ivar name: the full name of the game.
    @ivar short_name: the name by which other games know it.
    @ivar hidden: do not show the game to other games.
    @ivar hide_players: do not show the players of the game to other games.
    @ivar tagline: a short description, for lists.
    @ivar description: a long description.
    @ivar homepage_url: the web page of the game.
    @ivar language: the language that its players speak.
    @ivar connections: where people play the game; can be repeated.
    @ivar owner: the name of the account that the game belongs to.
    """

    wire = "game/add"
    may_be_first = True
    view = staticmethod(_view_credentials)
    shell_view = staticmethod(_view_exports)
    beside_shell_view = staticmethod(_view_beside_exports)

    name: str
    short_name: Annotated[str, Argument("SHORT", "--short")]
    hidden: bool = False
    hide_players: bool = False
    tagline: str | None = None
    description: str | None = None
    homepage_url: HomepageUrl | None = None
    language: str | None = None
    connections: Connections = ()
    owner: str | UnsetType | None = UNSET

    def perform(self, registry: Registry, on: Occasion) -> Done:
        secret = on.new_uuid()
        game = Game(
            client_id=on.new_uuid(),
            short_name=self.short_name,
            name=_spaced(self.name),
            secrets=(Secret(digest(secret)),),
            hidden=self.hidden,
            hides_players=self.hide_players,
            tagline=_spaced(self.tagline or "") or None,
            description=self.description or None,
            homepage_url=self.homepage_url or None,
            language=_spaced(self.language or "") or None,
            connections=self.connections,
            created_at=on.now,
            owner=self._owner(registry, on.actor),
        )
        return GameSaved(game), _credentials(game, secret)

    def _owner(self, registry: Registry, actor: str) -> str | None:
        if not isinstance(self.owner, UnsetType):
            return find_account(registry, self.owner, "owner").name if self.owner else None
        # Only an owner finds the game on the web pages, and whoever is at the terminal can have no other account.
        admins = registry.accounts.admins()
        return admins[0].name if is_terminal(actor) and len(admins) == 1 else None


class GameList(Listing, frozen=True):
    """List all games."""

    wire = "game/list"
    view = staticmethod(_view_games)
    entries = "games"

    def everything(self, registry: Registry) -> Collection[Game]:
        return registry.games.values()

    def key(self, entry: Game) -> str:
        return entry.short_name.lower()

    def text(self, entry: Game) -> str:
        return f"{entry.short_name} {entry.name} {entry.owner or ''}"

    def shown(self, entries: Sequence[Game], registry: Registry, on: Occasion) -> list[Result]:
        return [_game(registry, game, on.now) for game in entries]


class GameShow(Operation, frozen=True):
    """
    Show a game.

    @ivar game: the game, by its short name or its client_id.
    """

    wire = "game/show"
    view = staticmethod(_view_game)

    game: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return None, _game(registry, find_game(registry, self.game), on.now)


class GameRotate(Operation, frozen=True):
    """
    Give a game a new secret. The old secret works for 24 more hours.

    @ivar game: the game, by its short name or its client_id.
    """

    wire = "game/rotate"
    view = staticmethod(_view_credentials)
    shell_view = staticmethod(_view_exports)
    beside_shell_view = staticmethod(_view_beside_exports)

    game: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        secret = on.new_uuid()
        known = find_game(registry, self.game)
        game = rotated(known, secret, on.now, in_use=registry.in_use[""].get(known.client_id))
        return GameSaved(game), {**_credentials(game, secret), "old_secret_until": _old_secret_until(game, on.now)}


class GameDisable(Operation, frozen=True):
    """
    Keep a game from joining. Its sessions end.

    @ivar game: the game, by its short name or its client_id.
    """

    wire = "game/disable"
    done = "Disabled {short_name}."
    view = staticmethod(_view_game)

    game: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        game = find_game(registry, self.game)
        return _saved(registry, game, replace(game, disabled=True), on.now)


class GameEnable(Operation, frozen=True):
    """
    Let a disabled game join again.

    @ivar game: the game, by its short name or its client_id.
    """

    wire = "game/enable"
    done = "Enabled {short_name}."
    view = staticmethod(_view_game)

    game: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        game = find_game(registry, self.game)
        return _saved(registry, game, replace(game, disabled=False), on.now)


class GameRemove(Operation, frozen=True):
    """
    Remove a game and its achievements. Its sessions end; its messages stay.

    @ivar game: the game, by its short name or its client_id.
    """

    wire = "game/remove"
    question = "Remove the game {game} and its achievements? Its messages stay."
    done = "Removed {short_name}."
    view = staticmethod(_view_game)

    game: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        game = find_game(registry, self.game)
        return GameRemoved(game.client_id), _game(registry, game, on.now)


class GameEdit(Operation, frozen=True):
    """
    Change what is known of a game. What is not given stays; an empty text removes the value.

    @ivar game: the game, by its short name or its client_id.
    @ivar name: the full name of the game.
    @ivar hidden: do not show the game to other games.
    @ivar hide_players: do not show the players of the game to other games.
    @ivar tagline: a short description, for lists.
    @ivar description: a long description.
    @ivar homepage_url: the web page of the game.
    @ivar language: the language that its players speak.
    @ivar connections: where people play the game, in place of what was known; can be repeated.
    @ivar owner: the name of the account that the game belongs to.
    """

    wire = "game/edit"
    done = "Changed {short_name}."
    view = staticmethod(_view_game)

    game: str
    name: str | UnsetType = UNSET
    hidden: bool | UnsetType = UNSET
    hide_players: bool | UnsetType = UNSET
    tagline: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    homepage_url: HomepageUrl | UnsetType | None = UNSET
    language: str | UnsetType | None = UNSET
    connections: (
        Annotated[Connections, Argument(option="--no-connections", value=(), help="forget where people play the game")]
        | UnsetType
    ) = UNSET
    owner: str | UnsetType | None = UNSET

    def perform(self, registry: Registry, on: Occasion) -> Done:
        game = find_game(registry, self.game)
        return _saved(
            registry,
            game,
            replace(
                game,
                name=game.name if isinstance(self.name, UnsetType) else _spaced(self.name),
                hidden=given_or(self.hidden, game.hidden),
                hides_players=given_or(self.hide_players, game.hides_players),
                tagline=game.tagline if isinstance(self.tagline, UnsetType) else _spaced(self.tagline or "") or None,
                description=given_or(self.description, game.description) or None,
                homepage_url=given_or(self.homepage_url, game.homepage_url) or None,
                language=_spaced(given_or(self.language, game.language) or "") or None,
                connections=given_or(self.connections, game.connections),
                owner=find_account(registry, owner, "owner").name
                if (owner := given_or(self.owner, game.owner))
                else None,
            ),
            on.now,
        )


def _spaced(text: str) -> str:
    """A name or a tagline with single blanks. Line breaks and tabs are refused, not mended: see L{Registry.check}."""
    return " ".join(filter(None, text.split(" ")))


def _saved(registry: Registry, known: Game, game: Game, now: float) -> Done:
    return None if game == known else GameSaved(game), _game(registry, game, now)


# The results. They hold no digests of secrets.


def _credentials(game: Game, secret: str) -> Result:
    return {
        "name": game.name,
        "short_name": game.short_name,
        "client_id": game.client_id,
        "client_secret": secret,
        "owner": game.owner,
        "link": f"/connect/{game.short_name}" if game.owner else "/connect",
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
        "language": game.language,
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


OPERATIONS: Final[tuple[type[Operation], ...]] = (
    GameAdd,
    GameList,
    GameShow,
    GameRotate,
    GameDisable,
    GameEnable,
    GameRemove,
    GameEdit,
)
"""All operations on games."""
