"""What the telnet bridge bears (bridge's protocol, section 1). Without I/O, since the configuration knows it too."""

from __future__ import annotations

from msgspec import Struct


class TelnetLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """
    The limits of the telnet bridge; 0 is no limit.

    @ivar connections: how many connections there may be.
    @ivar connections_per_address: how many of them from one address.
    @ivar unauthenticated_per_address: how many of those before they have logged in.
    @ivar login_seconds: how long a login may take.
    @ivar logins: so many refused logins end a connection.
    @ivar line_bytes_before_login: the longest line before the login.
    @ivar line_bytes: the longest line of the text dialect after it.
    @ivar json_line_bytes: the longest line of the JSON dialect after it, and to a game.
    @ivar unended_bytes: how much may come without the end of a line.
    @ivar subnegotiation_bytes: the longest subnegotiation of telnet.
    @ivar negotiations: how many negotiations of a connection are answered.
    @ivar inflated_bytes: how much one compressed read may inflate to.
    @ivar backlog_bytes: how much may wait for a slow reader before he is cut off.
    """

    connections: int = 1000
    connections_per_address: int = 20
    unauthenticated_per_address: int = 10
    login_seconds: float = 30
    logins: int = 3
    line_bytes_before_login: int = 1024
    line_bytes: int = 8 * 1024
    json_line_bytes: int = 64 * 1024
    unended_bytes: int = 64 * 1024
    subnegotiation_bytes: int = 8 * 1024
    negotiations: int = 512
    inflated_bytes: int = 256 * 1024
    backlog_bytes: int = 256 * 1024
