"""
How a request fails, and why a connection ends: one table of errors.

Programs go by the code of an error: metrics, the numbers of the telnet port, the page that shows a game's progress.
People read its text, which may be reworded here, as far as the protocol does not fix it. To add an error, add a line to
the table, raise L{Denied} with its code, and add it to the tables in C{docs/protocol.rst} and C{docs/telnet.rst}.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Kind(Struct, frozen=True):
    """
    A kind of error.

    @ivar code: its name for programs; it never changes.
    @ivar text: what people read, with C{{NAME}} in the place of each value.
    @ivar number: what the telnet port writes before the text (telnet bridge, section 2).
    @ivar metric: its label in the metric C{gossip_failures}, which dashboards and alerts use; empty if no request
        fails with this error.
    """

    code: str
    text: str
    number: int
    metric: str = ""


TABLE: Final = (
    # Any request.
    Kind("rate-limited", "rate limit exceeded", 429, "rate limit exceeded"),
    Kind("rate-limited-goodbye", "rate limit exceeded, goodbye", 429, "rate limit exceeded, goodbye"),
    Kind("rate-limit-abuse", "disconnected due to rate limit abuse", 429, "disconnected due to rate limit abuse"),
    Kind("unknown-event", "unknown", 400, "unknown"),
    Kind("unauthenticated", "unauthenticated", 400, "unauthenticated"),
    Kind("missing-support", 'missing support for "{flag}"', 501, "missing support for"),
    Kind("malformed", "an error occurred, try again", 500, "an error occurred, try again"),
    Kind("not-kept", "an error occurred, try again", 500, "an error occurred, try again"),
    # Authentication.
    Kind("invalid-credentials", "invalid credentials", 401, "invalid credentials"),
    Kind("missing-supports", "missing supports", 401, "missing supports"),
    Kind("channels-not-supported", "must support channels", 401, "must support channels"),
    Kind("unknown-supports", "includes unknown supports", 401, "includes unknown supports"),
    Kind("too-many-sessions", "too many sessions", 401, "too many sessions"),
    # Channels.
    Kind("bad-channel", 'Could not subscribe to "{channel}"', 400, "Could not subscribe"),
    Kind("not-joined", "Could not subscribe to '{channel}'", 400, "Could not subscribe"),
    Kind("too-many-channels", "too many channels", 403, "too many channels"),
    Kind("not-subscribed", "not subscribed", 403, "not subscribed"),
    Kind("channel-paused", "channel is paused", 403, "channel is paused"),
    Kind("not-allowed-to-speak", "not allowed to speak", 403, "not allowed to speak"),
    Kind("empty-name", "Name cannot be empty", 400, "Name cannot be empty"),
    Kind("name-too-long", "name too long", 413, "name too long"),
    Kind("reserved-name", "this name belongs to the network", 403, "this name belongs to the network"),
    Kind("empty-message", "empty message", 400, "empty message"),
    Kind("message-too-long", "message too long", 413, "message too long"),
    Kind("bad-limit", "limit must be 1 to 100", 400, "limit must be 1 to 100"),
    Kind("unknown-number", 'unknown number {number} on "{channel}"', 404, "unknown number"),
    Kind("not-yours", "not yours", 403, "not yours"),
    Kind("too-late", "too late", 403, "too late"),
    # Games, players, tells.
    Kind("unknown-game", "unknown game", 404, "unknown game"),
    Kind("invalid-payload", "invalid payload", 400, "invalid payload"),
    Kind("game-offline", "game offline", 404, "game offline"),
    Kind("not-supported", "not supported", 501, "not supported"),
    Kind("sender-offline", "sending player offline", 412, "sending player offline"),
    Kind("receiver-offline", "receiving player offline", 404, "receiving player offline"),
    # Reports.
    Kind("no-such-message", "no such message", 404, "no such message"),
    Kind("bad-reason", "reason must be 1 to 200 characters", 400, "reason must be 1 to 200 characters"),
    Kind("reported-already", "reported already", 409, "reported already"),
    Kind("too-many-reports", "too many open reports", 403, "too many open reports"),
    # Moderation. "until" is empty, or " until TIME".
    Kind("muted", "muted{until}: {reason}", 403, "muted"),
    Kind("banned", "banned{until}: {reason}", 403, "banned"),
    Kind("expelled", "banned{until}: {reason}", 401, "banned"),
    Kind("message-refused", "message refused: {reason}", 403, "message refused"),
    # Lines of the telnet port's text dialect.
    Kind("unknown-command", "unknown command", 400),
    Kind("syntax", "syntax: {usage}", 400),
    Kind("bad-option", "bad option {option}", 400),
    Kind("already-logged-in", "already logged in", 400),
    Kind("not-logged-in", "not logged in", 401),
    Kind("line-too-long", "line too long", 413),
    Kind("bad-charset", "text not in the charset", 415),
    # Ends of a connection.
    Kind("goodbye", "goodbye", 200),
    Kind("game-disabled", "the game was disabled", 401),
    Kind("game-removed", "the game was removed", 401),
    Kind("login-timeout", "login time-out", 408),
    Kind("heartbeat-failed", "heartbeat failure", 408),
    Kind("internal-error", "internal error", 500),
    Kind("restarting", "restarting", 503),
    Kind("draining", "no new games here: connect again", 503),
    Kind("too-slow", "too slow", 410),
    Kind("bad-compression", "bad compressed data", 460),
    Kind("no-line-feed", "too much without a line feed", 400),
    Kind("too-many-negotiations", "too many negotiations", 400),
    Kind("subnegotiation-too-long", "subnegotiation too long", 400),
    Kind("inflated-too-much", "too much in one compressed read", 400),
    Kind("inflated-too-many-commands", "too many commands in one compressed read", 400),
    Kind("not-http", "this is the telnet bridge, not HTTP; {hint}", 400),
    Kind("not-imc2", "this is the telnet bridge, not IMC2", 400),
)
"""Every kind of error that a game can get."""

KINDS: Final = {kind.code: kind for kind in TABLE}
"""The same, by code."""


class Error(Struct, frozen=True):
    """
    What went wrong.

    @ivar code: the code of its kind, for programs.
    @ivar text: what it says, for people.
    """

    code: str
    text: str

    @classmethod
    def of(cls, code: str, **values: str) -> Error:
        """
        Make an error of a kind.

        @param code: one of L{KINDS}.
        @param values: a value for each name in the text of the kind.
        @raise KeyError: there is no such kind, or a value is missing.
        """
        return cls(code, KINDS[code].text.format_map(values))

    @property
    def kind(self) -> Kind:
        """Its kind."""
        return KINDS[self.code]


MALFORMED: Final = Error.of("malformed")
"""The error of a request whose ref or payload is not what it must be."""

NOT_KEPT: Final = Error.of("not-kept")
"""The error of a request whose change could not be kept."""


class Denied(Exception):
    """
    A request that cannot be carried out. Nothing was changed.

    @ivar error: what answers the request.
    """

    def __init__(self, code: str, **values: str) -> None:
        """
        @param code: one of L{KINDS}.
        @param values: as for L{Error.of}.
        """
        self.error = Error.of(code, **values)
        super().__init__(self.error.text)


class Overrun(Exception):
    """A request over a rate limit. Nothing was changed but the count of strikes."""

    def __init__(self, abuse: bool) -> None:
        super().__init__(abuse)
        self.abuse = abuse
