"""All transports. To add one, write its package and its line here, and its setting in L{gossip.config}."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gossip.transports.imc2.transport import Imc2Transport
from gossip.transports.interfaces import ITransport
from gossip.transports.intermud3.transport import I3Transport
from gossip.transports.telnet.transport import TelnetTransport
from gossip.transports.websocket.transport import WebSocketTransport

TRANSPORTS: Final[tuple[Callable[[], ITransport], ...]] = (
    WebSocketTransport,
    TelnetTransport,
    Imc2Transport,
    I3Transport,
)
"""The transports in the order in which a daemon opens them. Each call makes the transport of one daemon."""
