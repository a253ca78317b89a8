"""Keys: what a game joins with by a protocol that sends passwords in clear text. Each is good for one protocol only."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from gossip.operations.command import Argument, Block, Result
from gossip.operations.operation import Done, Occasion, Operation, find_game
from gossip.protocol.text import timestamp
from gossip.registry.changes import GameSaved
from gossip.registry.registry import Registry
from gossip.registry.secret import IMC2, SERVER_WORD, old_secret_until, rotated

_KEY: Final = 20
"""The length of a key in characters. Each has five bits."""


def located(result: Result, address: str, port: str) -> Result:
    """
    A result of L{GameKey} with the place where games by IMC2 join.

    @param address: the address of the web pages.
    @param port: the port; empty if there is none.
    """
    return {**result, "host": urlsplit(address).hostname or "", "port": port}


def imc_config(result: Result) -> tuple[str, ...]:
    """The lines of C{imc.config} for a result of L{GameKey}."""
    values = {
        "LocalName": result["short_name"],
        "ServerAddr": result["host"] or "THIS-HOST",
        "ServerPort": result["port"] or "4113",
        "ClientPwd": result["key"],
        "ServerPwd": SERVER_WORD,
        "SHA256": "1" if result["sha256"] else "0",
    }
    return tuple(f"{name:<11} {value}" for name, value in values.items())


def _view_key(result: Result) -> Sequence[Block]:
    lines = ["The key is not shown again. In imc.config, delete a line SHA256Pwd, if there is one."]
    if not result["port"]:
        lines.append("This network has no IMC2 port yet: set listen in [imc2].")
    if result["sha256"]:
        lines.append("The network keeps the key in clear text, for logins by SHA-256: imc2.sha256 is on.")
    if until := result["old_key_until"]:
        lines.append(f"The old key works until {until}.")
    return f"{result['name']} ({result['short_name']})", "", *imc_config(result), "", *lines


class GameKey(Operation, frozen=True):
    """
    Give a game a key for IMC2, and show it. It is good for nothing else, and is not shown again. Only a digest of it is
    kept, unless the setting imc2.sha256 is on. The old key works for 24 more hours.

    @ivar game: the game, by its short name or its client_id.
    @ivar protocol: the protocol: imc2.
    """

    wire = "game/key"
    view = staticmethod(_view_key)

    game: str
    protocol: Annotated[Literal["imc2"], Argument("PROTOCOL", positional=True)] = IMC2

    def perform(self, registry: Registry, on: Occasion) -> Done:
        # A UUID has more random bits than the key, which has 100.
        random = hashlib.sha256(on.new_uuid().encode()).digest()
        key = base64.b32encode(random).decode().lower()[:_KEY]
        known = find_game(registry, self.game)
        in_use = registry.in_use[self.protocol].get(known.client_id)
        in_clear = self.protocol in on.in_clear
        game = rotated(known, key, on.now, self.protocol, in_use, in_clear=in_clear)
        until = old_secret_until(game, on.now, self.protocol)
        return GameSaved(game), {
            "name": game.name,
            "short_name": game.short_name,
            "client_id": game.client_id,
            "protocol": self.protocol,
            "key": key,
            "sha256": in_clear,
            "host": "",
            "port": "",
            "old_key_until": None if until is None else timestamp(until),
        }


OPERATIONS: Final[tuple[type[Operation], ...]] = (GameKey,)
"""All operations on keys."""
