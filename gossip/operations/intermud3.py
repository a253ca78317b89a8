"""Intermud-3: the name that a game has there, and the number that it logs in with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from gossip.operations.command import Block, Result
from gossip.operations.operation import Done, Occasion, Operation, find_game
from gossip.protocol.text import timestamp
from gossip.registry.changes import I3IdentityRemoved, I3IdentitySaved
from gossip.registry.entities import I3Identity
from gossip.registry.errors import Refused
from gossip.registry.registry import Registry
from gossip.registry.secret import digest

OPEN_SECONDS: Final = 24 * 3600
"""For how long a login without the right password gets one, in seconds."""

_PASSWORDS: Final = 2**31 - 1


def placed(result: Result, address: str, port: str, router: str) -> Result:
    """
    A result of L{GameI3} with the place where MUDs join by Intermud-3.

    @param address: the address of the web pages.
    @param port: the port; empty if there is none.
    @param router: the name of the router.
    """
    return {**result, "host": urlsplit(address).hostname or "", "port": port, "router": router}


def mud_config(result: Result) -> tuple[str, ...]:
    """What the configuration of a MUD needs, for a result of L{GameI3}."""
    values = {
        "Router": result["router"] or "*gossip",
        "Host": result["host"] or "THIS-HOST",
        "Port": result["port"] or "4114",
        "Name of the MUD": result["mud"],
        "Password": result["password"],
    }
    return tuple(f"{name:<16} {value}" for name, value in values.items())


def _view(result: Result) -> Sequence[Block]:
    title = f"{result['name']} ({result['short_name']})"
    if result["mud"] is None:
        return (f"{title} can no longer join by Intermud-3.",)
    lines = [
        "The password is not shown again. Your MUD does not need it if it logs in for the first time, or again, until",
        f"{result['open_until']}: that login gets a password, whatever it brings.",
    ]
    if not result["port"]:
        lines.append("This network has no port for Intermud-3 yet: set listen in [i3].")
    return title, "", *mud_config(result), "", *lines


class GameI3(Operation, frozen=True):
    """
    Let a game join by Intermud-3: give it a name there and a new password, and show both. For 24 hours, a login by that
    name gets a password, whatever it brings. The old password stops working now; a MUD that is connected stays.

    @ivar game: the game, by its short name or its client_id.
    @ivar name: its name on Intermud-3; by default the one that it has there, or else its short name.
    @ivar remove: it may no longer join by Intermud-3.
    """

    wire = "game/i3"
    view = staticmethod(_view)

    game: str
    name: str | None = None
    remove: bool = False

    def perform(self, registry: Registry, on: Occasion) -> Done:
        game = find_game(registry, self.game)
        known = registry.i3.of(game.client_id)
        told = {"name": game.name, "short_name": game.short_name, "client_id": game.client_id}
        places = dict.fromkeys(("host", "port", "router"), "")
        if self.remove:
            if known is None:
                raise Refused("not-found", "game", "this game does not join by Intermud-3")
            none = dict.fromkeys(("mud", "password", "open_until"))
            return I3IdentityRemoved(game.client_id), {**told, **none, **places}
        random = hashlib.sha256(on.new_uuid().encode()).digest()
        password = 1 + int.from_bytes(random, "big") % _PASSWORDS
        identity = I3Identity(
            client_id=game.client_id,
            name=(self.name or "").strip() or (game.short_name if known is None else known.name),
            digest=digest(str(password)),
            open_until=on.now + OPEN_SECONDS,
            record="" if known is None else known.record,
        )
        until = timestamp(on.now + OPEN_SECONDS, "seconds")
        shown = {"mud": identity.name, "password": password, "open_until": until}
        return I3IdentitySaved(identity), {**told, **shown, **places}


OPERATIONS: Final[tuple[type[Operation], ...]] = (GameI3,)
"""All operations on Intermud-3."""
