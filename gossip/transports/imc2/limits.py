"""The settings and limits of the IMC2 port (IMC2, section 2). Without I/O, since the configuration imports them."""

from __future__ import annotations

import re
from typing import Final, Literal

from msgspec import Struct

from gossip.transports.budget import Budget, Budgets

SERVER: Final = re.compile("[A-Za-z][A-Za-z0-9]{0,14}")
"""What the name of the network may be on the wire."""

NETWORK: Final = re.compile("(?![\"'])[!#-&(-~]{1,30}")
"""What the name of the network may be for people."""


class Imc2Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """
    The IMC2 port.

    @ivar listen: where it listens, as endpoint strings; empty for nowhere. Clients know no TLS.
    @ivar server: the name of the network on the wire.
    @ivar network: the name of the network for people.
    @ivar channels: the channels that are always offered; all public ones are as well.
    @ivar charset: in what charset texts are sent.
    @ivar remote: whether MUDs are told of remote games, too.
    @ivar sha256: whether MUDs can log in by SHA-256. Keys that are made from then on are kept in clear, which that
        needs.
    """

    listen: tuple[str, ...] = ()
    server: str = "Gossip"
    network: str = "GossipNet"
    channels: tuple[str, ...] = ("gossip",)
    charset: Literal["ascii", "latin1", "utf-8"] = "ascii"
    remote: bool = False
    sha256: bool = False


class Imc2Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """
    The limits of the IMC2 port; 0 is no limit.

    @ivar connections: the maximum number of connections.
    @ivar connections_per_address: the maximum number from one address.
    @ivar unauthenticated_per_address: the maximum number from one address that have not logged in.
    @ivar login_seconds: how long a login may take.
    @ivar line_bytes_before_login: the longest line before the login.
    @ivar line_bytes: the longest line after it.
    @ivar unended_bytes: how many bytes may arrive without a line feed.
    @ivar backlog_bytes: how many bytes may wait for a slow reader before it is cut off.
    @ivar text_bytes: the longest text of one packet, at most 700: clients copy it into a small buffer.
    @ivar packets: into how many packets a long text is split.
    @ivar budgets: how much a connection may send.
    """

    connections: int = 500
    connections_per_address: int = 20
    unauthenticated_per_address: int = 10
    login_seconds: float = 30
    line_bytes_before_login: int = 1024
    line_bytes: int = 16 * 1024
    unended_bytes: int = 16 * 1024
    backlog_bytes: int = 256 * 1024
    text_bytes: int = 700
    packets: int = 4
    budgets: Budgets = Budgets(Budget(16 * 1024, 4 * 1024), Budget(512 * 1024, 64 * 1024))
