"""What is looked for among the messages that were said."""

from __future__ import annotations

from msgspec import Struct


class Numbered(Struct, frozen=True):
    """The message with this number on a channel."""

    channel: str
    seq: int


class LatestOf(Struct, frozen=True):
    """
    The latest message of a player on a channel. Names compare without case.

    @ivar game: the short name of the player's game.
    @ivar since: the earliest time of the message, in seconds since the epoch.
    """

    channel: str
    game: str
    name: str
    since: float


Sought = Numbered | LatestOf
"""How one message can be looked for."""
