"""The responses of C{/api/v1}. The OpenAPI document is made from these structs."""

from __future__ import annotations

from msgspec import Struct

from gossip.web.views.public import PublicAchievement, PublicChannel, PublicGame, PublicMessage
from gossip.web.views.queries import Series


class GameDetails(PublicGame, frozen=True, kw_only=True):
    """A game with its displayed achievements and its number of players over the last 48 hours."""

    achievements: tuple[PublicAchievement, ...]
    players_over_time: Series | None


class GamesResponse(Struct, frozen=True):
    """All games, those online first."""

    games: tuple[PublicGame, ...]


class ChannelsResponse(Struct, frozen=True):
    """All channels."""

    channels: tuple[PublicChannel, ...]


class MessagesResponse(Struct, frozen=True):
    """
    Messages of a channel, oldest first.

    @ivar more: whether there are more messages in the requested direction.
    """

    messages: tuple[PublicMessage, ...]
    more: bool


class SearchHit(Struct, frozen=True):
    """
    A message that was found.

    @ivar path: the path of its page.
    @ivar before: the message before it on its channel; null if there is none.
    @ivar after: the message after it; null if there is none.
    """

    message: PublicMessage
    path: str
    before: PublicMessage | None
    after: PublicMessage | None


class SearchResponse(Struct, frozen=True):
    """
    What a search found, the latest first.

    @ivar next: C{before} for the next page; null if there is nothing more.
    @ivar complete: false if the search took too long; C{next} goes on where it ended.
    """

    hits: tuple[SearchHit, ...]
    next: int | None
    complete: bool


class StatisticsResponse(Struct, frozen=True):
    """Statistics of the network. Times are in seconds since the epoch."""

    name: str
    version: str
    games: int
    games_online: int
    players_online: int
    messages_over_time: Series
    players_over_time: Series


class OperationError(Struct, frozen=True):
    """
    Why an operation was refused.

    @ivar error: the reason as text, which may change.
    @ivar code: the reason as a code, which does not change.
    @ivar field: the argument that it is about; null if it is about none.
    """

    error: str
    code: str
    field: str | None = None


# Responses to requests with a token.


class TokenResponse(Struct, frozen=True):
    """
    A token and its account.

    @ivar account: the name of the account.
    @ivar admin: whether the account is an admin.
    @ivar scope: C{read}, C{metrics} or C{admin}.
    @ivar label: the label that the owner gave it.
    @ivar expires: when it expires; null if never.
    """

    account: str
    admin: bool
    scope: str
    label: str
    expires: str | None


class LiveSession(Struct, frozen=True):
    """A live session of a game; C{players} is the number of players that it lists."""

    peer: str
    transport: str
    since: str
    supports: tuple[str, ...]
    channels: tuple[str, ...]
    players: int


class OwnGame(PublicGame, frozen=True, kw_only=True):
    """
    A game as its owner sees it: also if it is hidden, and with all players and channels.

    @ivar old_secret_until: until when the previous secret works; null if it no longer does.
    """

    client_id: str
    hidden: bool
    disabled: bool
    created_at: str
    version: str | None
    old_secret_until: str | None
    sessions: tuple[LiveSession, ...]


class OwnGamesResponse(Struct, frozen=True):
    """The games of an account, by short name."""

    games: tuple[OwnGame, ...]
