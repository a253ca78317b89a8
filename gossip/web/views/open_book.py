"""
The open book: what admins did about broken rules, as everybody may see it.

It is made from the activity log. The admin, addresses and the texts of messages stay there, and so do the names of
players unless the operator publishes them. Hidden games and hidden channels are not named.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from gossip.registry.entities import AuditEntry, Game
from gossip.registry.names import NETWORK_GAME, is_network
from gossip.registry.registry import Registry

KINDS: Final = {
    "mute/add": "Mute",
    "mute/remove": "Mute lifted",
    "ban/add": "Ban",
    "ban/remove": "Ban lifted",
    "game/disable": "Game disabled",
    "game/enable": "Game enabled",
    "channel/pause": "Channel paused",
    "channel/resume": "Pause ended",
    "message/remove": "Message removed",
    "message/purge": "Messages removed",
}
"""The operations that are in the book, and what they are called there."""

_LASTING: Final = ("mute/add", "ban/add", "channel/pause")

HIDDEN: Final = "a hidden channel"
"""Stands for a channel that is not public."""


class Deed(Struct, frozen=True):
    """
    An entry of the book.

    @ivar key: a UUID.
    @ivar at: when it was done, in seconds since the epoch.
    @ivar kind: what was done.
    @ivar who: the game or player; empty if it is about a channel.
    @ivar channel: empty if it is not about one channel.
    @ivar everywhere: whether it is about all channels.
    @ivar until: when it ends, in seconds since the epoch; C{None} if it has no end.
    @ivar lasts: whether it is something that has an end, or is permanent.
    """

    key: str
    at: float
    kind: str
    who: str
    channel: str
    everywhere: bool
    reason: str
    until: float | None
    lasts: bool


class _Message(Struct):
    """A message that was removed, without its text."""

    id: str
    game: str
    name: str


class _Given(Struct):
    """The arguments of the operations, as far as the book shows them."""

    who: str = ""
    game: str = ""
    channel: str | None = None
    reason: str | None = None
    minutes: float | None = None
    messages: tuple[_Message, ...] = ()


_given = msgspec.json.Decoder(_Given).decode


class Noted(Struct, frozen=True):
    """
    An entry of the activity log, as far as the book needs it: entries of removals quote whole messages.

    @ivar given: the arguments of the operation.
    """

    key: str
    at: float
    operation: str
    given: _Given


def noted(entry: AuditEntry) -> Noted:
    """Read an entry of the activity log."""
    try:
        given = _given(entry.arguments)
    except msgspec.DecodeError:
        given = _Given()  # of another version of gossip
    if entry.operation == "message/remove" and given.messages:
        message = given.messages[0]
        given.who, given.channel = f"{message.name}@{message.game}", message.id.rpartition(":")[0]
    given.messages = ()
    return Noted(entry.key, entry.at, entry.operation, given)


class OpenBook:
    """Makes entries of the book."""

    def __init__(self, registry: Registry, names_players: bool) -> None:
        """
        @param names_players: whether players are named.
        """
        self._registry = registry
        self._names_players = names_players

    def deed(self, entry: Noted) -> Deed:
        """What an entry of the activity log is in the book."""
        given, lasts = entry.given, entry.operation in _LASTING
        return Deed(
            key=entry.key,
            at=entry.at,
            kind=KINDS[entry.operation],
            who=self._who(given, entry.at),
            channel=self._channel(given.channel),
            everywhere=bool(given.who and not given.channel),
            reason=given.reason or "",
            until=entry.at + given.minutes * 60 if lasts and given.minutes is not None else None,
            lasts=lasts,
        )

    def _who(self, given: _Given, at: float) -> str:
        if not given.who:
            return self._game(given.game, at) if given.game else ""
        player, is_player, game = given.who.rpartition("@")
        if is_player:
            of = self._game(game, at)
            return f"{player}@{of}" if self._names_players and of not in _UNNAMED else f"a player of {of}"
        if any(mark in given.who for mark in ".:/"):  # no game has one of these in its name
            return "an address"
        return self._game(given.who, at)

    def _game(self, named: str, at: float) -> str:
        """The name of a game, which an admin typed at that time: its short name or its client_id."""
        if is_network(named):
            return NETWORK_GAME
        game: Game | None = self._registry.game_named(named) or self._registry.games.get(named.lower())
        # A game that came later has only the name of the one that is meant.
        if game is None or game.created_at > at:
            return _GONE
        return _HIDDEN_GAME if game.hidden else game.short_name

    def _channel(self, name: str | None) -> str:
        if not name:
            return ""
        channel = self._registry.channels.get(name)
        return HIDDEN if channel is None or channel.hidden else name


_GONE: Final = "a game that was removed"
_HIDDEN_GAME: Final = "a hidden game"
_UNNAMED: Final = (_GONE, _HIDDEN_GAME)
