"""What C{/api/v1} tells: a struct each. The OpenAPI document is made from them."""

from __future__ import annotations

from msgspec import Struct

from gossip.web.views.public import PublicAchievement, PublicChannel, PublicGame, PublicMessage
from gossip.web.views.queries import Series


class GameDetails(PublicGame, frozen=True, kw_only=True):
    """A game, and what is told of one game only: its displayed achievements, and its players over 48 hours."""

    achievements: tuple[PublicAchievement, ...]
    players_over_time: Series | None


class GamesResponse(Struct, frozen=True):
    """All games: who is online first."""

    games: tuple[PublicGame, ...]


class ChannelsResponse(Struct, frozen=True):
    """All channels."""

    channels: tuple[PublicChannel, ...]


class MessagesResponse(Struct, frozen=True):
    """
    What was said on a channel, the oldest first.

    @ivar more: there is more in the direction that was asked for.
    """

    messages: tuple[PublicMessage, ...]
    more: bool


class StatisticsResponse(Struct, frozen=True):
    """The network in numbers; times are seconds since the epoch."""

    name: str
    version: str
    games: int
    games_online: int
    players_online: int
    messages_over_time: Series
    players_over_time: Series


class ErrorResponse(Struct, frozen=True):
    """Why not."""

    error: str


class OperationError(Struct, frozen=True):
    """
    Why an operation was not carried out.

    @ivar error: the reason in words, which may change.
    @ivar code: the same for programs; it stays what it is.
    @ivar field: the argument that it is about, null if it is about none.
    """

    error: str
    code: str
    field: str | None = None


# What is told to who shows a token.


class TokenResponse(Struct, frozen=True):
    """
    Whose token this is, and what it is good for.

    @ivar account: the name of its owner.
    @ivar admin: whether he may do everything, with a token of that scope.
    @ivar scope: C{read}, C{metrics} or C{admin}.
    @ivar label: what he calls it.
    @ivar expires: when it ends; null if never.
    """

    account: str
    admin: bool
    scope: str
    label: str
    expires: str | None


class LiveSession(Struct, frozen=True):
    """A session of a game that is live; C{players} is how many it lists."""

    peer: str
    transport: str
    since: str
    supports: tuple[str, ...]
    channels: tuple[str, ...]
    players: int


class OwnGame(PublicGame, frozen=True, kw_only=True):
    """
    A game, as its owner is told of it: hidden or not, with all of its players and channels.

    @ivar old_secret_until: until when the secret before the latest one works; null if it does not.
    """

    client_id: str
    hidden: bool
    disabled: bool
    created_at: str
    version: str | None
    old_secret_until: str | None
    sessions: tuple[LiveSession, ...]


class OwnGamesResponse(Struct, frozen=True):
    """The games of an account, by their short names."""

    games: tuple[OwnGame, ...]
