"""The limits of the telnet port (telnet bridge, section 1). Without I/O, since the configuration imports them."""

from __future__ import annotations

from msgspec import Struct

from gossip.transports.budget import Budget, Budgets


class TelnetLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """
    The limits of the telnet port; 0 is no limit.

    @ivar connections: the maximum number of connections.
    @ivar connections_per_address: the maximum number from one address.
    @ivar unauthenticated_per_address: the maximum number from one address that have not logged in.
    @ivar login_seconds: how long a login may take.
    @ivar logins: how many refused logins end a connection.
    @ivar line_bytes_before_login: the longest line before the login.
    @ivar line_bytes: the longest line of the text dialect after the login.
    @ivar json_line_bytes: the longest line of the JSON dialect after the login, and to a game; also the longest
        PLAYERS of the text dialect.
    @ivar unended_bytes: how many bytes may arrive without a line feed.
    @ivar subnegotiation_bytes: the longest telnet subnegotiation.
    @ivar negotiations: how many negotiations of a connection are answered.
    @ivar inflated_bytes: how many bytes one compressed read may inflate to.
    @ivar budgets: how much a connection may send.
    @ivar backlog_bytes: how many bytes may wait for a slow reader before it is cut off.
    """

    connections: int = 1000
    connections_per_address: int = 20
    unauthenticated_per_address: int = 10
    login_seconds: float = 30
    logins: int = 3
    line_bytes_before_login: int = 1024
    line_bytes: int = 8 * 1024
    json_line_bytes: int = 144 * 1024
    unended_bytes: int = 144 * 1024
    subnegotiation_bytes: int = 8 * 1024
    negotiations: int = 512
    inflated_bytes: int = 256 * 1024
    backlog_bytes: int = 256 * 1024
    budgets: Budgets = Budgets(Budget(128 * 1024, 4 * 1024), Budget(512 * 1024, 64 * 1024))
