"""What is looked for among the messages that were said, and among the entries of the activity log."""

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


class Entries(Struct, frozen=True):
    """
    Entries of the activity log.

    @ivar actor: only what this admin did, as in L{AuditEntry.actor}; case makes no difference. Empty for anybody.
    @ivar about: only entries whose operation, subject or arguments contain this text. Empty for all.
    @ivar since: only entries from this time on, in seconds since the epoch.
    @ivar before: only entries before this time, in seconds since the epoch.
    """

    actor: str = ""
    about: str = ""
    since: float | None = None
    before: float | None = None
